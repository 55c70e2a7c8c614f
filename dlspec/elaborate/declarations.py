"""`data`, `train`, `export` and `sweep`: settings checked, their computations elaborated to graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.parameters import without_argument
from dlspec.elaborate.session import Session
from dlspec.elaborate.values import POISON, BlockDefinition, Marker, Poisoned, describe
from dlspec.ir.training import Export
from dlspec.syntax import tree

# Settings that the language has and that a later release will carry out; refused, never ignored.
LATER = {
    "data": set(),
    "train": set(),
    "export": {"dynamic", "precision", "quantize", "quantise", "gates"},
    "sweep": set(),
}  # fmt: skip


class Settings:
    """The entries of one declaration, each read once; what nobody reads is unknown.

    Wrong entries are reported at once, and the others still checked: `finish` tells whether all were fine.
    """

    def __init__(self, item: tree.Declaration, known: Iterable[str], session: Session) -> None:
        self.item, self.kind, self.known, self.session = item, item.kind, list(known), session
        self.values: dict[str, tree.Setting] = {}
        self.sections: dict[str, tree.Section] = {}
        self.steps: list[tree.StepSection] = []
        self.copies: list[tree.Copy] = []
        problems: list[Diagnostic] = []
        for entry in item.entries:
            problems.extend(self._sort(entry))
        self.fine = not problems
        if problems:
            session.report(SpecError(problems))

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Do one part of the checking; what goes wrong is reported, and the other parts still done."""
        try:
            return action()
        except SpecError as error:
            self.session.report(error)
        except Poisoned:
            pass
        self.fine = False
        return None

    def finish(self) -> None:
        """Raise `Poisoned` when anything was wrong, and so reported."""
        if not self.fine:
            raise Poisoned

    def _sort(self, entry: tree.Entry) -> list[Diagnostic]:
        if isinstance(entry, tree.StepSection):
            self.steps.append(entry)
            return [] if self.kind == "train" else [self._unknown("step", entry.name)]
        if isinstance(entry, tree.Copy):
            self.copies.append(entry)
            return [] if self.kind == "train" else [self._unknown("copy", entry.source)]
        name = entry.name.id
        earlier = self.values.get(name) or self.sections.get(name)
        if earlier is not None:
            note = [Note(earlier.name.span, "first here")]
            return [Diagnostic("DLS0412", f"`{name}` is set twice", entry.name.span, "again here", note)]
        if name not in self.known:
            return [self._unknown(name, entry.name)]
        if isinstance(entry, tree.Setting):
            self.values[name] = entry
        else:
            self.sections[name] = entry
        return []

    def _unknown(self, name: str, written: tree.Name) -> Diagnostic:
        what = f"`{self.kind} {self.item.name.id}`"
        if name in LATER[self.kind]:
            message = f"`{name}` is not supported by this version of dlspec"
            return Diagnostic(
                "DLS0509", message, written.span, "not supported yet", hint="leave it out for now"
            )
        guess = closest(name, self.known)
        hint = f"did you mean `{guess}`?" if guess else f"it has {', '.join(f'`{k}`' for k in self.known)}"
        return Diagnostic(
            "DLS0501", f"{what} has no setting `{name}`", written.span, "unknown setting", hint=hint
        )

    def get(self, name: str) -> tree.Expr | None:
        """The expression of a setting, None where it is not given."""
        setting = self.values.get(name)
        return setting.value if setting is not None else None

    def require(self, name: str, hint: str) -> tree.Expr:
        """The expression of a setting that must be given."""
        expr = self.get(name)
        if expr is None:
            if any(entry.name.id == name for entry in self.item.entries if isinstance(entry, tree.Section)):
                raise fail("DLS0505", f"`{name}` is a setting: `{name} = ...`", self.sections[name].name.span,
                           "not in braces", hint)  # fmt: skip
            raise fail("DLS0503", f"`{self.kind} {self.item.name.id}` does not say its `{name}`",
                       self.item.name.span, f"needs `{name} = ...`", hint)  # fmt: skip
        return expr

    def whole(self, name: str, default: int | None, frame: Frame, least: int = 1) -> int | None:
        """A setting that is a whole number of at least `least`; `default` where it is left out."""
        expr = self.get(name)
        return default if expr is None else whole_number(name, expr, frame, least)

    def flag(self, name: str, frame: Frame) -> bool | None:
        """A setting that is true or false; None where it is left out."""
        expr = self.get(name)
        if expr is None:
            return None
        value = evaluate(expr, frame)
        if not isinstance(value, bool):
            raise fail("DLS0505", f"`{name}` must be true or false, not {describe(value)}",
                       expr.span, "neither true nor false", f"write `{name} = true`")  # fmt: skip
        return value


def export(item: tree.Declaration, builder: Any) -> Export:
    """`export MODEL { format = onnx ... }`."""
    settings = Settings(item, ["format", "opset", "ir_version", "prepare"], builder.session)
    frame = builder.frame()
    attempt, prepare = settings.attempt, settings.get("prepare")
    made = Export.model_construct(
        model=attempt(lambda: _exported(item.name, builder)),
        format=attempt(lambda: one_word("format", settings.get("format"), "onnx", ["onnx"])),
        opset=attempt(lambda: settings.whole("opset", 21, frame, 17)),
        ir_version=attempt(lambda: settings.whole("ir_version", 10, frame, 8)),
        prepare=None if prepare is None else attempt(lambda: _preparation(prepare, builder)),
    )
    settings.finish()
    return made


def _preparation(expr: tree.Expr, builder: Any) -> str | None:
    """The preparation that goes along: one that needs nothing but the columns."""
    data = data_set(expr, builder)
    if data.statistics is not None:
        raise fail("DLS0520", f"the preparation of `{data.name}` needs statistics of its training split", expr.span,
                   "not part of the model", "leave `prepare` out, or write the numbers into the spec")  # fmt: skip
    prepare: str | None = data.prepare
    return prepare


def _exported(name: tree.Name, builder: Any) -> str:
    """The name of a model that stands alone."""
    if name.id in builder.models:
        return name.id
    value = builder.scope.names.get(name.id)
    if value is POISON or builder.scope.is_incomplete():
        raise Poisoned
    if not isinstance(value, BlockDefinition) or not value.block.is_model:
        raise unknown_model(name, builder)
    for param in value.block.params:
        if param.default is None:
            raise without_argument(value, param, name.span)
    raise Poisoned  # declared, but wrong: reported already


def data_set(expr: tree.Expr, builder: Any) -> Any:
    """The data set that a name stands for."""
    data = builder.declared["data"]
    if isinstance(expr, tree.Name):
        if expr.id in data:
            return data[expr.id]
        value = builder.scope.names.get(expr.id)
        wrong = value is POISON or (isinstance(value, Marker) and value.kind == "data set")
        if wrong or builder.scope.is_incomplete():
            raise Poisoned  # declared, but wrong: reported already
    known = [n for n, v in builder.scope.names.items() if isinstance(v, Marker) and v.kind == "data set"]
    guess = closest(expr.span.text, known)
    hint = f"did you mean `{guess}`?" if guess else "declare it with `data`"
    raise fail(
        "DLS0506", f"`{expr.span.text}` is no data set of this spec", expr.span, "unknown data set", hint
    )


def whole_number(name: str, expr: tree.Expr, frame: Frame, least: int = 1) -> int:
    """The value of the setting `name`, a whole number of at least `least`."""
    value: Any = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise fail("DLS0505", f"`{name}` must be a whole number of at least {least}, not {describe(value)}",
                   expr.span, f"not {least} or more")  # fmt: skip
    return value


def entries(setting: str, expr: tree.Expr, known: Sequence[str], example: str) -> dict[str, tree.Expr]:
    """The entries of a dictionary, each at most once and known."""
    if not isinstance(expr, tree.Dict):
        raise fail("DLS0505", f"`{setting}` must be a dictionary", expr.span, "not a dictionary", example)
    found: dict[str, tree.Expr] = {}
    for name, value in expr.items:
        if name.id not in known:
            guess = closest(name.id, list(known))
            hint = f"did you mean `{guess}`?" if guess else example
            raise fail("DLS0501", f"`{setting}` has no entry `{name.id}`", name.span, "unknown entry", hint)
        if name.id in found:
            raise fail("DLS0412", f"`{name.id}` is set twice", name.span, "again here")
        found[name.id] = value
    return found


def word_of(expr: tree.Expr) -> str | None:
    """A word, with or without quotes; None for anything else."""
    return expr.id if isinstance(expr, tree.Name) else expr.value if isinstance(expr, tree.String) else None


def one_word(name: str, expr: tree.Expr | None, default: str, allowed: list[str]) -> str:
    """A setting that is one of a few words, with or without quotes."""
    if expr is None:
        return default
    word = word_of(expr)
    if word not in allowed:
        listing = " or ".join(f"`{a}`" for a in allowed)
        raise fail(
            "DLS0505", f"`{name}` must be {listing}, not `{expr.span.text}`", expr.span, f"not {listing}"
        )
    return str(word)


def models_of(builder: Any) -> list[str]:
    """The names of all models in scope, also of those that need arguments."""
    return [n for n, v in builder.scope.names.items() if isinstance(v, BlockDefinition) and v.block.is_model]


def unknown_model(name: tree.Name, builder: Any) -> SpecError:
    """The error for a name that is no model."""
    value = builder.scope.names.get(name.id)
    if isinstance(value, BlockDefinition):
        note = Note(value.block.name.span, "a block, whose inputs may be of any size")
        return SpecError([Diagnostic("DLS0507", f"`{name.id}` is a block and no model", name.span, "not a model",
                                     [note], "declare it with `model`")])  # fmt: skip
    guess = closest(name.id, models_of(builder))
    hint = f"did you mean `{guess}`?" if guess else "declare it with `model`"
    return fail("DLS0507", f"`{name.id}` is no model of this spec", name.span, "unknown model", hint)


def _data(item: tree.Declaration, builder: Any) -> Any:
    from dlspec.elaborate.data import data

    return data(item, builder)


def _train(item: tree.Declaration, builder: Any) -> Any:
    from dlspec.elaborate.training import train

    return train(item, builder)


def _sweep(item: tree.Declaration, builder: Any) -> Any:
    from dlspec.elaborate.sweep import sweep

    return sweep(item, builder)


RULES = {"data": _data, "train": _train, "export": export, "sweep": _sweep}
"""How each kind of declaration becomes IR."""
