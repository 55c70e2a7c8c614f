"""`split = ...`: which examples are learnt from, and which are kept to judge by."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.data import SplitRule
from dlspec.ir.types import TensorType
from dlspec.syntax import tree

EXAMPLE = "write `split = { train: 0.8, val: 0.1, test: 0.1 }`"
FORMS = {
    "stratified": "`stratified(label, train = 0.8, test = 0.2)`",
    "ordered": "`ordered(train = 0.8, test = 0.2)`",
    "by": "`by(part, train = [0, 1], test = 2)`",
    "folds": "`folds(5)` or `folds(5, label)`",
}
"""The rules that are written as calls."""
BY_NAME = '`by(part, train = ["a", "b"], test = "c")`'


def split_of(
    expr: tree.Expr | None, columns: dict[str, TensorType] | None, frame: Frame, names: Container[str] = ()
) -> tuple[dict[str, float], SplitRule | None]:
    """The parts with their shares, and the rule where examples are not dealt at random.

    names
        columns of names: what `by` is told of them is text.
    """
    if expr is None:
        return {"train": 0.8, "val": 0.1, "test": 0.1}, None
    if isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name):
        return _rule(expr, expr.function, columns, frame, names)
    return _fractions(evaluate(expr, frame), expr), None


def _fractions(value: Any, expr: tree.Expr) -> dict[str, float]:
    fractions = value if isinstance(value, dict) else {}
    numbers = [v for v in fractions.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    if not fractions or len(numbers) != len(fractions) or min(numbers) <= 0 or sum(numbers) > 1 + 1e-9:
        label = f"adds up to {sum(numbers):g}"
        if not fractions or len(numbers) != len(fractions):
            label = "not parts and fractions"
        elif min(numbers) <= 0:
            label = f"{min(numbers):g} is not above 0"
        raise fail("DLS0504", "`split` must name parts with fractions above 0 that add up to at most 1", expr.span,
                   label, EXAMPLE)  # fmt: skip
    if "train" not in fractions:
        raise fail("DLS0504", "`split` has no part `train`", expr.span, "nothing to train on", EXAMPLE)
    return {name: float(part) for name, part in fractions.items()}


def _rule(
    expr: tree.Call,
    function: tree.Name,
    columns: dict[str, TensorType] | None,
    frame: Frame,
    names: Container[str],
) -> tuple[dict[str, float], SplitRule]:
    kind = function.id
    if kind not in FORMS:
        guess = closest(kind, FORMS)
        hint = f"did you mean `{guess}`?" if guess else f"the rules are {', '.join(FORMS)}"
        raise fail("DLS0504", f"`{kind}` is no way to split", function.span, "unknown rule", hint)
    fed = [argument.value for argument in expr.arguments if argument.name is None]
    parts = {a.name.id: evaluate(a.value, frame) for a in expr.arguments if a.name is not None}
    if kind == "folds":
        return _folds(expr, fed, parts, columns, frame)
    wanted = 0 if kind == "ordered" else 1
    if len(fed) != wanted:
        raise fail("DLS0504", f"`{kind}` takes {'one column' if wanted else 'no column'} and the parts", expr.span,
                   "not that", f"write {FORMS[kind]}")  # fmt: skip
    column = _column(fed[0], columns) if fed else None
    if kind != "by":
        return _fractions(parts, expr), SplitRule(kind=kind, column=column)
    values = {name: value if isinstance(value, list) else [value] for name, value in parts.items()}
    kinds, what = (str, "name") if column in names else ((int, float), "number")
    if any(not isinstance(each, kinds) for listed in values.values() for each in listed):
        raise fail("DLS0504", f"each part of `by` is a {what} of the column, or a list of them", expr.span,
                   f"not {what}s", f"write {BY_NAME if column in names else FORMS[kind]}")  # fmt: skip
    if "train" not in values:
        raise fail("DLS0504", "`split` has no part `train`", expr.span, "nothing to train on",
                   f"write {FORMS[kind]}")  # fmt: skip
    return dict.fromkeys(values, 0.0), SplitRule(kind=kind, column=column, values=plain(values))


def _folds(
    expr: tree.Call, fed: list[tree.Expr], parts: dict[str, Any], columns: Any, frame: Frame
) -> tuple[dict[str, float], SplitRule]:
    folds = evaluate(fed[0], frame) if fed else None
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2 or len(fed) > 2 or parts:
        raise fail("DLS0504", "`folds` takes how many there are, at least 2, and a column to balance", expr.span,
                   "not that", f"write {FORMS['folds']}")  # fmt: skip
    column = _column(fed[1], columns) if len(fed) > 1 else None
    return {"train": 1 - 1 / folds, "val": 1 / folds}, SplitRule(kind="folds", column=column, folds=folds)


def _column(expr: tree.Expr, columns: dict[str, TensorType] | None) -> str:
    """The column that a rule names: one number an example."""
    known = [name for name, kind in (columns or {}).items() if not kind.shape]
    if isinstance(expr, tree.Name) and (expr.id in known or columns is None):
        return expr.id
    text = expr.span.text
    guess = closest(text, known)
    hint = f"did you mean `{guess}`?" if guess else f"such columns are {', '.join(known) or 'none'}"
    raise fail("DLS0504", f"`{text}` is no column with one number an example", expr.span, "not such a column",
               hint)  # fmt: skip


def stratified(
    expr: tree.Expr | None,
    rule: SplitRule | None,
    columns: dict[str, TensorType] | None,
) -> SplitRule | None:
    """The rule with `stratify = label`: every part has the same share of each value of the column."""
    if expr is None:
        return rule
    column = _column(expr, columns)
    if rule is None:
        return SplitRule(kind="stratified", column=column)
    if rule.kind != "folds" or rule.column is not None:
        what = "says the column itself" if rule.column else "deals examples by their place"
        raise fail("DLS0505", f"`stratify` does not go with `{rule.kind}`, which {what}", expr.span, "beside `split`",
                   "leave it out, or split by shares: `split = { train: 0.8, test: 0.2 }`")  # fmt: skip
    return rule.model_copy(update={"column": column})
