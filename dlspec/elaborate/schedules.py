"""Learning rates that change: expressions of `step`, `steps`, `epoch`, `progress`, with named schedules."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from functools import cache
from typing import Any

from dlspec._data import data_path
from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import given_twice, too_many, unknown_argument
from dlspec.elaborate.arithmetic import FUNCTIONS
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.lookup import visible_operator
from dlspec.elaborate.training_runs import EXAMPLES
from dlspec.elaborate.values import Scope, describe
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.prune import pruned
from dlspec.ir.types import tensor
from dlspec.syntax import tree
from dlspec.syntax.source import Span

CLOCK = ("step", "steps", "epoch", "progress")
"""What a training counts: updates so far, updates in all, epochs so far, the share of all updates done."""


def rate_of(expr: tree.Expr, name: str, outer: Frame) -> tuple[Any, str | None]:
    """The learning rate `expr`: its value where it is constant, else the key of its graph."""
    graph = Builder(name)
    frame = Frame(outer.session, Scope(outer.scope), graph)
    for each in CLOCK:
        if each not in outer.scope.visible():
            frame.scope.define(each, graph.input(each, tensor("f64", ())))
    value = evaluate(_expanded(expr, frame), frame)
    if not isinstance(value, Handle):
        return value, None
    if value.type.rank != 0 or not value.type.is_float:
        raise fail("DLS0416", f"a learning rate must be a single number, but this is {value.type}", expr.span,
                   "not a number")  # fmt: skip
    graph.output("rate", value)
    return None, str(outer.session.add_graph(pruned(graph.build(frame.final_names()))))


@cache
def schedules() -> dict[str, dict[str, Any]]:
    """The named schedules: parameters, and the expression that each stands for."""
    return tomllib.loads((data_path("grammar") / "schedules.toml").read_text("utf-8"))


def names() -> list[str]:
    """Of all schedules."""
    return [*schedules(), "piecewise"]


def _expanded(expr: Any, frame: Frame) -> Any:
    """The expression with every named schedule, called or not, replaced by what it stands for."""
    if isinstance(expr, list | tuple):
        return type(expr)(_expanded(item, frame) for item in expr)
    if not isinstance(expr, tree.Node):
        return expr
    name = expr.function if isinstance(expr, tree.Call) else expr
    if isinstance(name, tree.Name) and name.id == "on_plateau" and "on_plateau" not in frame.scope.visible():
        raise fail("DLS0201", "`on_plateau` knows a metric, and no rate does: it is a setting of `train`", name.span,
                   "not in a rate", f"{EXAMPLES['on_plateau']} beside `optimizer`")  # fmt: skip
    if isinstance(name, tree.Name) and name.id in names() and name.id not in frame.scope.visible():
        arguments = expr.arguments if isinstance(expr, tree.Call) else []
        if name.id == "piecewise":
            return _piecewise(expr, arguments, frame)
        return _schedule(name.id, expr.span, arguments, frame)
    if isinstance(expr, tree.Name) and (guess := _meant(expr.id, frame)):
        raise fail("DLS0201", f"nothing is called `{expr.id}` here", expr.span, "unknown name",
                   f"did you mean `{guess}`?")  # fmt: skip
    changes = {
        f.name: _expanded(getattr(expr, f.name), frame)
        for f in fields(expr)
        if f.name != "span" and not (isinstance(expr, tree.Argument) and f.name == "name")
    }
    return replace(expr, **changes)


def _meant(name: str, frame: Frame) -> str | None:
    """The schedule or count that a name which stands for nothing is nearly called."""
    if name in frame.scope.visible() or visible_operator(name) or frame.scope.is_incomplete():
        return None
    return None if name in FUNCTIONS else closest(name, [*names(), *CLOCK])


def _schedule(name: str, span: Span, arguments: list[tree.Argument], frame: Frame) -> tree.Expr:
    entry = schedules()[name]
    given = _given(name, list(entry["params"]), arguments)
    for param, default in entry["params"].items():
        if param not in given and default == "needed":
            raise fail("DLS0206", f"`{name}` needs its argument `{param}`", span, "not given here",
                       f"write `{name}({param} = ...)`")  # fmt: skip
    for param, written in given.items():
        value = evaluate(written, frame)
        least = param in entry.get("above", ())
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or (value <= 0 if least else value < 0):
            wanted = "a number above 0" if least else "a number of at least 0"
            raise fail("DLS0207", f"`{name}`: argument `{param}` must be {wanted}, not {describe(value)}",
                       written.span, f"not {wanted}")  # fmt: skip
        given[param] = tree.Number(written.span, value)
    values = {**{p: tree.Number(span, d) for p, d in entry["params"].items()}, **given}
    return _filled(_parsed(entry["text"]), values, span)


def _given(name: str, known: list[str], arguments: list[tree.Argument]) -> dict[str, Any]:
    """The arguments by parameter."""
    given: dict[str, Any] = {}
    for place, argument in enumerate(arguments):
        if argument.name is None and place >= len(known):
            raise too_many(name, argument.span, known)
        param = known[place] if argument.name is None else argument.name.id
        if param not in known:
            assert argument.name is not None
            raise unknown_argument(name, argument.name, known)
        if param in given:
            raise given_twice(f"argument `{param}`", argument.span, given[param].span)
        given[param] = argument.value
    return given


@cache
def _parsed(text: str) -> tree.Expr:
    from dlspec.syntax.parser import parse_text

    item = parse_text(f"let schedule = {text}\n").items[0]
    assert isinstance(item, tree.Let)
    return item.value


def _filled(node: Any, values: dict[str, tree.Expr], span: Span) -> Any:
    """A copy with the parameters' values, all of it at the place where the schedule is written."""
    if isinstance(node, list | tuple):
        return type(node)(_filled(item, values, span) for item in node)
    if isinstance(node, tree.Name) and node.id in values:
        return values[node.id]
    if not isinstance(node, tree.Node):
        return node
    changes = {f.name: _filled(getattr(node, f.name), values, span) for f in fields(node) if f.name != "span"}
    filled = replace(node, **changes, span=span)
    return _simple(filled) if isinstance(filled, tree.Binary) else filled


# What stays as it is, added to, taken from and so on: an operator and its right side; the same on its left side.
_RIGHT = {("+", 0), ("-", 0), ("*", 1), ("/", 1), ("**", 1)}
_LEFT = {("+", 0), ("*", 1)}


def _simple(node: tree.Binary) -> tree.Expr:
    """Without an addition of 0 or a factor of 1, from a parameter that is left as it is."""
    left, right = node.left, node.right
    if isinstance(left, tree.Number) and isinstance(right, tree.Number) and node.op == "-":
        return tree.Number(node.span, left.value - right.value)
    if isinstance(right, tree.Number) and (node.op, right.value) in _RIGHT:
        return left
    if isinstance(left, tree.Number) and (node.op, left.value) in _LEFT:
        return right
    return node


def _piecewise(expr: tree.Node, arguments: list[tree.Argument], frame: Frame) -> tree.Expr:
    """`piecewise(at = [100, 200], values = [1, 0.1, 0.01])`: the next value from each of the updates `at` on."""
    given = _given("piecewise", ["at", "values"], arguments)
    span, hint = expr.span, "write `piecewise(at = [100, 200], values = [1, 0.1, 0.01])`"
    found = {name: evaluate(written, frame) for name, written in given.items()}
    lists = [
        list(found[n]) if isinstance(found.get(n), list | tuple | range) else [] for n in ("at", "values")
    ]
    at, values = lists
    if (
        not at
        or not all(_is_number(v) for v in at + values)
        or len(values) != len(at) + 1
        or at != sorted(at)
    ):
        raise fail("DLS0207", "`piecewise` needs updates in rising order, and one value more than those", span,
                   f"{len(at)} updates and {len(values)} values", hint)  # fmt: skip
    numbers = [tree.Number(span, float(value)) for value in values]
    result: tree.Expr = numbers[-1]
    for bound, value in zip(reversed(at), reversed(numbers[:-1]), strict=True):
        text = _parsed("where(step < bound, now, later)")
        result = _filled(text, {"bound": tree.Number(span, bound), "now": value, "later": result}, span)
    return result


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
