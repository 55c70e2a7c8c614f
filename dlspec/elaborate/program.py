"""A whole spec to a Program: imports, constants, models, and what is declared over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlspec._collector import collector_paused
from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.blocks import make_instance, resolve_graph
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.imports import declare_all
from dlspec.elaborate.names import check_names
from dlspec.elaborate.parameters import check_kind, check_kinds
from dlspec.elaborate.session import Session
from dlspec.elaborate.values import POISON, BlockDefinition, Marker, Poisoned, Scope
from dlspec.ir.graph import Program
from dlspec.syntax import tree
from dlspec.syntax.parser import parse_file, parse_text


def load_program(path: str | Path, overrides: dict[str, str] | None = None) -> Program:
    """The checked program of a spec file. Raises SpecError with every diagnostic found.

    overrides
        values for `let`s (``"width"``) and for parameters of models (``"Classifier.classes"``), each written
        as in a spec.
    """
    with collector_paused():
        return elaborate(parse_file(path), Path(path), overrides)


def elaborate(file: tree.File, path: Path | None, overrides: dict[str, str] | None = None) -> Program:
    """The program of a parsed file; imports are looked up relative to `path` (none without it)."""
    session = Session(_parse_overrides(overrides or {}))
    scope = declare_all(file, path, session, lambda each, names: declare(each, session, names))
    _check_overrides(session, scope)
    program = _Builder(session, scope, file).build()
    if session.diagnostics:
        raise SpecError(sorted(session.diagnostics, key=_position))
    return program


def _position(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.span
    return (span.source.name, span.start) if span else ("", 0)


def declare(file: tree.File, session: Session, scope: Scope) -> None:
    """Bring a file's names into scope: `let`s in order, blocks and models, data sets."""
    for item in file.items:
        match item:
            case tree.Block():
                check_kinds((param.type for param in item.params), session)
                _define(item.name, BlockDefinition(item, scope), session, scope)
            case tree.Declaration(kind="data"):
                _define(item.name, Marker("data set", item.name.id, item), session, scope)
    lets = [item for item in file.items if isinstance(item, tree.Let)]
    check_kinds((item.type for item in lets), session)
    for item in lets:
        _define(item.name, _let_value(item, session, scope), session, scope)
    check_names(file, session, scope)


def _let_value(item: tree.Let, session: Session, scope: Scope) -> Any:
    name = item.name.id
    if name in session.overrides:
        session.unused_overrides.discard(name)
        return session.overrides[name]
    try:
        value = evaluate(item.value, Frame(session, scope))
        check_kind(f"`{name}`", item.type, value, item.value.span)
        return value
    except SpecError as error:
        session.report(error)
    except Poisoned:
        pass
    return POISON


def _define(name: tree.Name, value: Any, session: Session, scope: Scope) -> None:
    if name.id in scope.names:
        where = scope.spans.get(name.id)
        notes = [Note(where, "first here")] if where else []
        session.report(
            SpecError(
                [Diagnostic("DLS0412", f"`{name.id}` is already defined", name.span, "again here", notes)]
            )
        )
        return
    scope.define(name.id, value, name.span)


def _parse_overrides(given: dict[str, str]) -> dict[str, Any]:
    """`--set name=value`: values are expressions of the language, computed without any names."""
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not isinstance(text, str):
            values[name] = text
            continue
        file = parse_text(f"let value = {text}", name=f"--set {name}")
        item = file.items[0]
        if len(file.items) != 1 or not isinstance(item, tree.Let):
            raise fail("DLS0803", f"`--set {name}` takes one value", file.items[-1].span, "one too many")
        values[name] = evaluate(item.value, Frame(Session(), Scope()))
    return values


def _check_overrides(session: Session, scope: Scope) -> None:
    """Refuse `--set` of a name that is neither a `let` nor a parameter of a model."""
    known = [n for n, v in scope.names.items() if not isinstance(v, BlockDefinition | Marker)]
    for name, value in scope.names.items():
        if isinstance(value, BlockDefinition) and value.block.is_model:
            known += [f"{name}.{p.name.id}" for p in value.block.params]
    for name in session.unused_overrides - set(known):
        guess = closest(name, known)
        listing = ", ".join(f"`{k}`" for k in known) or "nothing"
        hint = f"did you mean `{guess}`?" if guess else f"can be set: {listing}"
        session.report(
            fail("DLS0803", f"`--set {name}`: the spec has no such `let` or model parameter", hint=hint)
        )


class _Builder:
    """Elaborates the models and declarations of the main file into a Program."""

    def __init__(self, session: Session, scope: Scope, file: tree.File) -> None:
        self.session, self.scope, self.file = session, scope, file
        self.models: dict[str, str] = {}
        self.declared: dict[str, dict[str, Any]] = {"data": {}, "train": {}, "export": {}, "sweep": {}}

    def build(self) -> Program:
        for item in self.file.items:
            if isinstance(item, tree.Block) and item.is_model:
                self._guard(lambda item=item: self._model(item))
        self._imported_models()
        self._unused_blocks()
        for kind in self.declared:
            for item in self.file.items:
                if isinstance(item, tree.Declaration) and item.kind == kind:
                    self._guard(lambda item=item: self._declaration(item))
        return Program.model_construct(
            source=self.file.source.name,
            doc=self.file.doc,
            graphs=self.session.graphs,
            models=self.models,
            data=self.declared["data"],
            trainings=self.declared["train"],
            exports=self.declared["export"],
            sweeps=self.declared["sweep"],
        )

    def _guard(self, action: Any) -> None:
        try:
            action()
        except SpecError as error:
            self.session.report(error)
        except Poisoned:
            pass

    def _model(self, block: tree.Block) -> None:
        definition = self.scope.names.get(block.name.id)
        if not isinstance(definition, BlockDefinition) or definition.block is not block:
            return  # a second definition of the name, reported already
        if _needs_arguments(block, self.session):
            return  # elaborated where it is used with its arguments
        instance = make_instance(definition, [], block.name.span, Frame(self.session, self.scope))
        self.models[block.name.id] = resolve_graph(instance, None, block.name.span, self.session)

    def _imported_models(self) -> None:
        """A model of another file counts as one of this spec's if it is trained or exported here by its name."""
        own = {item.name.id for item in self.file.items if isinstance(item, tree.Block)}
        for item in self.file.items:
            if (
                isinstance(item, tree.Declaration)
                and item.kind in ("train", "export")
                and item.name.id not in own
            ):
                value = self.scope.names.get(item.name.id)
                if isinstance(value, BlockDefinition) and value.block.is_model:
                    self._guard(lambda block=value.block: self._model(block))

    def _unused_blocks(self) -> None:
        """A block that nothing uses is still checked when its inputs are typed and its params have defaults."""
        used = {identity[0] for identity in self.session.memo}
        for item in self.file.items:
            if isinstance(item, tree.Block) and not item.is_model and id(item) not in used:
                self._guard(lambda item=item: self._unused(item))

    def _unused(self, block: tree.Block) -> None:
        from dlspec.elaborate.types import declared_type

        definition = self.scope.names.get(block.name.id)
        inputs = [s for s in block.body.statements if isinstance(s, tree.Input)]
        typed = all(s.type is not None and s.type.dims is not None for s in inputs)
        plain = not any(isinstance(d, tree.Ellipsis) for s in inputs if s.type for d in s.type.dims or [])
        sized = all(isinstance(d, tree.Number) for s in inputs if s.type for d in (s.type.dims or [])[1:])
        if (
            not isinstance(definition, BlockDefinition)
            or not (typed and plain and sized)
            or _needs_arguments(block, self.session)
        ):
            return
        frame = Frame(self.session, Scope(definition.scope))
        types = [declared_type(s.type, frame) for s in inputs if s.type is not None]
        instance = make_instance(definition, [], block.name.span, frame)
        resolve_graph(instance, types, block.name.span, self.session)

    def _declaration(self, item: tree.Declaration) -> None:
        from dlspec.elaborate.declarations import RULES

        made = self.declared[item.kind]
        if item.name.id in made:
            first = next(i for i in self.file.items if isinstance(i, tree.Declaration)
                         and i.kind == item.kind and i.name.id == item.name.id)  # fmt: skip
            raise SpecError([Diagnostic("DLS0412", f"there is already a `{item.kind} {item.name.id}`", item.name.span,
                                        "again here", [Note(first.name.span, "first here")])])  # fmt: skip
        made[item.name.id] = RULES[item.kind](item, self)

    def frame(self) -> Frame:
        """A frame for compile-time values at file level."""
        return Frame(self.session, self.scope)


def _needs_arguments(block: tree.Block, session: Session) -> bool:
    return any(
        p.default is None and f"{block.name.id}.{p.name.id}" not in session.overrides for p in block.params
    )
