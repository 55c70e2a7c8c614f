"""Running the statements of a body. A wrong statement poisons the names it would have defined, so that
independent mistakes are all reported and none twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.elaborate.conditions import branch
from dlspec.elaborate.evaluate import bind_targets, condition, evaluate, iterable
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.types import bind_type, check_type, declared_type, free_names, unnamed_sizes
from dlspec.elaborate.values import (
    POISON,
    BlockDefinition,
    BlockInstance,
    Layer,
    Operator,
    Partial,
    Poisoned,
    Stack,
    describe,
)  # fmt: skip
from dlspec.ir.builder import Handle
from dlspec.ir.op import Types
from dlspec.ir.traced import untraced
from dlspec.syntax import tree
from dlspec.syntax.source import Span


class Run:
    """One body being run: the inputs still to be given, and whether all went well."""

    def __init__(
        self, frame: Frame, actual: Sequence[Types] | None, use: Span | None, is_model: bool
    ) -> None:
        self.frame, self.use, self.is_model = frame, use, is_model
        self.actual = None if actual is None else list(actual)
        self.fine = True
        self.results: list[tuple[str, Handle, Span]] = []

    def statements(self, statements: list[tree.Statement]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, statement: tree.Statement) -> None:
        """Run one statement; what goes wrong is reported, and its targets poisoned."""
        try:
            _RULES[type(statement)](self, statement)
        except SpecError as error:
            self.frame.session.report(error)
            self._poison(statement)
        except Poisoned:
            self._poison(statement)

    def _poison(self, statement: tree.Statement) -> None:
        self.fine = False
        for name in [*assigned(statement), *unbound_symbols(statement, self.frame)]:
            self.frame.scope.define(name, POISON)


def run_body(block: tree.Block, frame: Frame, actual: Sequence[Types] | None, use: Span) -> bool:
    """Run a block's body with inputs of the `actual` types, None for one left out (no list: as declared).

    True when it is fine.
    """
    run = Run(frame, actual, use, block.is_model)
    names = [pair for s in block.body.statements for pair in assigned_within(s, None)]
    frame.defined = {name.id: (name.span, around) for name, around in reversed(names)}
    run.statements(block.body.statements)
    if run.fine and not run.results:
        problem = fail("DLS0408", f"`{block.name.id}` has no output", block.name.span,
                       "no `output` in its body", "end it with `output ...`")  # fmt: skip
        frame.session.report(problem)
        run.fine = False
    if run.fine:
        finish_outputs(run, frame)
    return run.fine


def finish_outputs(run: Run, frame: Frame) -> None:
    """Declare the results under unique public names."""
    assert frame.builder is not None
    seen: dict[str, Span] = {}
    for name, handle, span in run.results:
        if name in seen:
            frame.session.report(
                SpecError(
                    [Diagnostic("DLS0410", f"two outputs are called `{name}`", span, "again here",
                                [Note(seen[name], "first here")], hint="write `output other_name = ...`")]
                )
            )  # fmt: skip
            run.fine = False
        seen[name] = span
        frame.builder.output(name, handle)


def _input(run: Run, statement: tree.Input) -> None:
    frame = run.frame
    assert frame.builder is not None
    name = statement.name.id
    _no_redefinition(frame, statement.name)
    if run.is_model and statement.default is not None:
        raise fail("DLS0430", f"the model's input `{name}` has a default", statement.default.span, "not in a model",
                   "move what follows into a block, and declare it there")  # fmt: skip
    if run.actual is None:
        if statement.type is None or statement.type.dims is None:
            raise fail("DLS0411", f"the model's input `{name}` does not state its sizes", statement.span,
                       "sizes missing", f"write `input {name}: f32[N, 8]` with its own sizes")  # fmt: skip
        kind = declared_type(statement.type, frame)
    else:
        if not run.actual and statement.default is None:
            raise fail("DLS0208", "the body of this `repeat` has more inputs than tensors go in", statement.span,
                       "nothing is left for this one",
                       "pipe in one tensor for each: `(a, b) -> repeat n { ... }`")  # fmt: skip
        given = run.actual.pop(0) if run.actual else None
        if given is None:
            _left_out(run, statement)
            return
        kind = given if frame.outer else given.with_shape(untraced(given.shape))
        if statement.type is not None:
            kind = bind_type(statement.type, kind, name, frame, run.use)
        elif frame.outer is None:
            kind = unnamed_sizes(kind, name, frame)
    handle = frame.builder.input(name, kind)
    frame.origins[handle.name] = statement.span
    frame.scope.define(name, handle, statement.name.span)


def _left_out(run: Run, statement: tree.Input) -> None:
    """An input that the use of the block does not give: its name stands for the default."""
    assert statement.default is not None
    frame, name = run.frame, statement.name
    value = evaluate(statement.default, frame)
    if isinstance(value, Handle) and statement.type is not None:
        bind_type(statement.type, value.type, name.id, frame, run.use)
    frame.scope.define(name.id, value, name.span)


def _no_redefinition(frame: Frame, name: tree.Name) -> None:
    if name.id in frame.scope.names:
        where = frame.scope.spans.get(name.id)
        raise SpecError(
            [
                Diagnostic(
                    "DLS0412", f"`{name.id}` is already defined in this block", name.span, "second definition",
                    [Note(where, "first here")] if where else [],
                )
            ]
        )  # fmt: skip


def _assign(run: Run, statement: tree.Assign) -> None:
    frame = run.frame
    value = evaluate(statement.value, frame)
    if len(statement.targets) == 1:
        _bind(frame, statement.targets[0], value)
        return
    if isinstance(value, Handle) or not isinstance(value, tuple | list):
        raise fail(
            "DLS0413", f"{len(statement.targets)} names on the left, but the right side is {describe(value)}",
            statement.value.span, "one value", "take it apart with `unstack`, `split` or `chunk`",
        )  # fmt: skip
    if len(value) != len(statement.targets):
        count = "1 value" if len(value) == 1 else f"{len(value)} values"
        message = f"{len(statement.targets)} names on the left, but {count} on the right"
        left = statement.targets[0].span.to(statement.targets[-1].span)
        notes = [Note(statement.value.span, count)]
        raise SpecError([Diagnostic("DLS0413", message, left, f"{len(statement.targets)} names", notes)])
    for target, item in zip(statement.targets, value, strict=True):
        _bind(frame, target, item)


def _bind(frame: Frame, target: tree.Name, value: Any) -> None:
    if isinstance(value, Handle) and frame.builder is not None and value.builder is frame.builder:
        if value.name in frame.made:
            frame.name_made(value.name, target.id)
        else:
            frame.builder.label(value, target.id)
    _name_instances(frame, target.id, value)
    frame.params.pop(target.id, None)
    frame.scope.define(target.id, value, target.span)


def _name_instances(frame: Frame, name: str, value: Any) -> None:
    """An instance is called by the name it is assigned to, one in a list by that and its place: `layers.0`."""
    if isinstance(value, Layer | BlockInstance) and not value.explicit:
        value.explicit, value.home = name, frame.builder
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, Layer | BlockInstance):
                _name_instances(frame, f"{name}.{place}", item)


def _output(run: Run, statement: tree.OutputStatement) -> None:
    frame = run.frame
    for index, expr in enumerate(statement.values):
        value = evaluate(expr, frame)
        values = list(value) if isinstance(value, tuple) else [value]
        for part in values:
            if not isinstance(part, Handle):
                raise _no_output(part, expr.span)
            handle = frame.localize(part)
            if statement.type is not None:
                check_type(statement.type, handle.type, expr.span, frame)
            name = _output_name(statement, index, expr, len(run.results))
            run.results.append((name, handle, expr.span))
            if statement.names:
                frame.scope.define(name, handle, statement.names[index].span)


def _no_output(value: Any, span: Span) -> SpecError:
    applicable = isinstance(value, Operator | Partial | Layer | BlockDefinition | BlockInstance | Stack)
    hint = "give it a tensor: `x -> ...`" if applicable else None
    return fail("DLS0414", f"an output must be a tensor, not {describe(value)}", span, "not a tensor", hint)


def _output_name(statement: tree.OutputStatement, index: int, expr: tree.Expr, position: int) -> str:
    if statement.names:
        return statement.names[index].id
    if isinstance(expr, tree.Name):
        return expr.id
    return "output" if position == 0 else f"output{position + 1}"


def _for(run: Run, statement: tree.For) -> None:
    for item in iterable(statement.iterable, run.frame):
        bind_targets(run.frame.scope, statement.targets, item, statement.iterable.span)
        _label_targets(run.frame, statement.targets)
        before = run.fine
        run.statements(statement.body.statements)
        if before and not run.fine:
            return  # the other rounds would say the same again


def _label_targets(frame: Frame, targets: list[tree.Name]) -> None:
    """Tensors that a `for` goes over and that have no name yet are called as in the loop."""
    for target in targets:
        value = frame.scope.names[target.id]
        if isinstance(value, Handle) and value.builder is frame.builder and value.name not in frame.made:
            value.builder.label(value, target.id)


def _if(run: Run, statement: tree.If) -> None:
    taken = condition(statement.condition, run.frame)
    body = statement.then if taken else statement.otherwise
    if body is not None:
        with branch(statement.condition, taken, run.frame):
            run.statements(body.statements)


def _repeat(run: Run, statement: tree.RepeatStatement) -> None:
    from dlspec.elaborate.repeats import repeat_statement

    repeat_statement(run, statement)


def _minimize(run: Run, statement: tree.Minimize) -> None:
    value = evaluate(statement.value, run.frame)
    if not isinstance(value, Handle):
        raise fail("DLS0416", f"`minimize` needs a tensor, not {describe(value)}", statement.value.span,
                   "not a tensor")  # fmt: skip
    if value.type.rank != 0 or not value.type.is_float:
        raise fail("DLS0416", f"`minimize` needs a single number, but this is {value.type}", statement.value.span,
                   "not a scalar", "take its `mean` or `sum`")  # fmt: skip
    earlier = next((span for name, _, span in run.results if name == "loss"), None)
    if earlier is not None:
        raise SpecError([Diagnostic("DLS0512", "this step minimizes twice", statement.span, "again here",
                                    [Note(earlier, "first here")], "add the losses up")])  # fmt: skip
    run.results.append(("loss", run.frame.localize(value), statement.span))


_RULES: dict[type, Any] = {
    tree.Input: _input,
    tree.Assign: _assign,
    tree.OutputStatement: _output,
    tree.For: _for,
    tree.If: _if,
    tree.RepeatStatement: _repeat,
    tree.Minimize: _minimize,
}


def unbound_symbols(statement: tree.Statement, frame: Frame) -> list[str]:
    """The symbols in a statement's type that stand for nothing yet; poisoned with it when it is wrong."""
    if not isinstance(statement, tree.Input | tree.OutputStatement) or statement.type is None:
        return []
    return [name.id for dim in statement.type.dims or [] for name in free_names(dim, frame)]


def assigned(statement: tree.Statement) -> list[str]:
    """The names that a statement defines, at any depth."""
    return [name.id for name in assigned_names(statement)]


def assigned_names(statement: tree.Statement) -> list[tree.Name]:
    """The names that a statement defines, at any depth, where they are written."""
    return [name for name, _ in assigned_within(statement, None)]


Within = tuple[tree.Name, tree.Statement | None]


def assigned_within(statement: tree.Statement, around: tree.Statement | None) -> list[Within]:
    """The names that a statement defines, at any depth, each with the innermost loop or choice around it."""
    match statement:
        case tree.Input():
            return [(statement.name, around)]
        case tree.Assign():
            return [(name, around) for name in statement.targets]
        case tree.OutputStatement():
            return [(name, around) for name in statement.names]
        case tree.For() | tree.RepeatStatement():
            return [pair for s in statement.body.statements for pair in assigned_within(s, statement)]
        case tree.If():
            bodies = [statement.then, *([statement.otherwise] if statement.otherwise else [])]
            return [pair for b in bodies for s in b.statements for pair in assigned_within(s, statement)]
    return []
