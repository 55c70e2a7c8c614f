"""`Adam(lr = 1e-3)`: an optimizer as it is written, to its specification."""

from __future__ import annotations

from typing import NamedTuple

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import construct, given_twice
from dlspec.elaborate.calls import Given, bind
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.schedules import rate_of
from dlspec.ir.training import OptimizerSpec
from dlspec.syntax import tree

SCHEDULED = 1.0
"""The field `lr` of an optimizer whose rate is set before every update."""


class Written(NamedTuple):
    """An optimizer as it is written: the key of the graph of its rate if that changes, and its `groups`."""

    spec: OptimizerSpec
    rate: str | None = None
    groups: tree.Expr | None = None


def optimizer_of(expr: tree.Expr, name: str, frame: Frame) -> Written:
    """The optimizer that a name or a call stands for."""
    from dlspec.ops.optimizers import optimizers

    call = expr if isinstance(expr, tree.Call) else tree.Call(expr.span, expr, [])
    written = call.function
    if not isinstance(written, tree.Name) or written.id not in optimizers():
        guess = closest(written.span.text, list(optimizers()))
        hint = f"did you mean `{guess}`?" if guess else f"the optimizers are {', '.join(optimizers())}"
        raise fail(
            "DLS0513", f"`{written.span.text}` is no optimizer", written.span, "unknown optimizer", hint
        )
    cls = optimizers()[written.id]
    rate: str | None = None
    given = []
    groups: tree.Argument | None = None
    for place, argument in enumerate(call.arguments):
        if argument.name and argument.name.id == "groups":
            if groups is not None:
                raise given_twice("argument `groups`", argument.span, groups.span)
            groups = argument
            continue
        if argument.name.id == "lr" if argument.name else place == 0:
            value, rate = rate_of(argument.value, f"Rate{name}", frame)
            value = value if rate is None else SCHEDULED
        else:
            value = evaluate(argument.value, frame)
        given.append(Given(argument.name, value, argument.value.span, None))
    made: OptimizerSpec = construct(cls, written.id, bind(cls, given, expr.span), expr.span)
    return Written(made, rate, groups.value if groups else None)
