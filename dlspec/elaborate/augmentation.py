"""`augment { ... }`: how examples are altered at random in training, column by column."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dlspec._data import data_path
from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.synthetic import keyword_types, wrong_value
from dlspec.ir.data import Augmentation
from dlspec.ir.types import TensorType
from dlspec.syntax import tree

EXAMPLE = "write `image = image -> random_crop(padding = 2) -> random_flip`"


@dataclass(frozen=True, slots=True)
class Augmenter:
    """A function of ``backends/common/augment/``: what it may be told, and what it alters.

    axes
        how many axes an example of the (first) column has; None where any number will do.
    whole
        whether the column holds whole numbers, otherwise floating ones.
    several
        whether it takes several columns at once, with those of another example.
    needs
        the module that it imports beside NumPy.
    """

    name: str
    text: str
    options: Mapping[str, str]
    axes: int | None = None
    whole: bool = False
    several: bool = False
    needs: str | None = None


@cache
def augmenters() -> Mapping[str, Augmenter]:
    """Every augmentation by name."""
    folder = data_path("backends") / "common"
    table = tomllib.loads((folder / "augment.toml").read_text("utf-8"))
    found = {}
    for name, facts in table.items():
        text = (folder / "augment" / f"{name}.py").read_text("utf-8")
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        found[name] = Augmenter(name, text, keyword_types(functions[0]), **facts)
    return found


def augmentations(
    section: tree.Section, columns: dict[str, TensorType], frame: Frame
) -> tuple[Augmentation, ...]:
    """The steps in their order; `columns` are those that the models take."""
    steps: list[Augmentation] = []
    problems: list[Diagnostic] = []
    for statement in section.body.statements:
        try:
            steps += _statement(statement, columns, frame)
        except SpecError as error:
            problems += error.diagnostics
    if problems:
        raise SpecError(problems)
    return tuple(steps)


def _statement(statement: tree.Statement, columns: dict[str, TensorType], frame: Frame) -> list[Augmentation]:
    if not isinstance(statement, tree.Assign):
        raise fail("DLS0518", "`augment` changes columns, one statement each", statement.span, "no such statement",
                   EXAMPLE)  # fmt: skip
    for target in statement.targets:
        if target.id not in columns:
            guess = closest(target.id, columns)
            hint = f"did you mean `{guess}`?" if guess else f"the columns are {', '.join(columns)}"
            raise fail(
                "DLS0518", f"`{target.id}` is no column of the data", target.span, "unknown column", hint
            )
    names = tuple(target.id for target in statement.targets)
    steps = _steps(statement.value, names, columns, frame)
    if not steps:
        raise fail("DLS0518", "this alters nothing", statement.span, "no augmentation", EXAMPLE)
    return steps


def _steps(
    expr: tree.Expr, names: tuple[str, ...], columns: dict[str, TensorType], frame: Frame
) -> list[Augmentation]:
    """The augmentations that an expression applies to the columns `names`, innermost first."""
    if isinstance(expr, tree.Name) and (expr.id,) == names:
        return []
    if isinstance(expr, tree.Pipe):
        return [
            *_steps(expr.value, names, columns, frame),
            _step(expr.stage, names, columns, frame),
        ]
    if isinstance(expr, tree.Call):
        fed = [argument.value for argument in expr.arguments if argument.name is None]
        if len(names) == 1 and len(fed) == 1:
            return [*_steps(fed[0], names, columns, frame), _step(expr, names, columns, frame)]
        if tuple(each.id for each in fed if isinstance(each, tree.Name)) == names:
            return [_step(expr, names, columns, frame)]
    listing = ", ".join(names)
    raise fail("DLS0518", f"augmentations are applied to {listing} itself", expr.span, "something else",
               EXAMPLE if len(names) == 1 else f"write `{listing} = mixup({listing}, alpha = 0.2)`")  # fmt: skip


def _step(
    expr: tree.Expr, names: tuple[str, ...], columns: dict[str, TensorType], frame: Frame
) -> Augmentation:
    function = expr.function if isinstance(expr, tree.Call) else expr
    arguments = expr.arguments if isinstance(expr, tree.Call) else []
    known = augmenters()
    if not isinstance(function, tree.Name) or function.id not in known:
        guess = closest(function.span.text, known)
        hint = f"did you mean `{guess}`?" if guess else f"there are {', '.join(known)}"
        raise fail("DLS0518", f"`{function.span.text}` is no augmentation", function.span, "unknown", hint)
    augmenter = known[function.id]
    _check_columns(augmenter, names, columns, function)
    options: dict[str, Any] = {}
    for argument in arguments:
        if argument.name is not None:
            options[argument.name.id] = _option(augmenter, argument.name, argument.value, frame)
    return Augmentation(function=augmenter.name, columns=names, options=options)


def _option(augmenter: Augmenter, name: tree.Name, written: tree.Expr, frame: Frame) -> Any:
    if name.id not in augmenter.options:
        guess = closest(name.id, augmenter.options)
        hint = f"did you mean `{guess}`?" if guess else f"it has {', '.join(augmenter.options)}"
        message = f"`{augmenter.name}` has no option `{name.id}`"
        raise fail("DLS0518", message, name.span, "unknown option", hint)
    value = plain(evaluate(written, frame))
    if wanted := wrong_value(augmenter.options[name.id], value):
        raise fail("DLS0518", f"`{name.id}` must be {wanted}", written.span, "not that")
    return value


def _check_columns(
    augmenter: Augmenter, names: tuple[str, ...], columns: dict[str, TensorType], function: tree.Name
) -> None:
    """Whether the columns are what the function alters."""
    if augmenter.several != (len(names) > 1):
        what = "several columns" if augmenter.several else "one column"
        hint = (
            "write `image, label = mixup(image, label)`, with the label as shares"
            if augmenter.several
            else None
        )
        raise fail("DLS0518", f"`{augmenter.name}` takes {what}", function.span, f"not {what}", hint)
    kind = columns[names[0]]
    if augmenter.axes not in (None, len(kind.shape)):
        raise fail("DLS0518", f"`{augmenter.name}` takes a column of {augmenter.axes} axes, not {kind}",
                   function.span, f"`{names[0]}` is {kind}")  # fmt: skip
    for name in names:
        if columns[name].dtype.startswith(("f", "bf")) == augmenter.whole:
            numbers = "whole numbers" if augmenter.whole else "floating numbers"
            hint = (
                "make it shares of the classes: `label = one_hot(label, 10)`" if augmenter.several else None
            )
            raise fail("DLS0518", f"`{augmenter.name}` takes {numbers}, but `{name}` is {columns[name]}",
                       function.span, f"not {numbers}", hint)  # fmt: skip
