"""`Adam(lr = 1e-3)`: an optimizer as it is written, to its specification."""

from __future__ import annotations

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import construct
from dlspec.elaborate.calls import Given, bind
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.training import OptimizerSpec
from dlspec.syntax import tree


def optimizer_of(expr: tree.Expr, frame: Frame) -> OptimizerSpec:
    """The optimizer that a name or a call stands for."""
    from dlspec.ops.optimizers import optimizers

    call = expr if isinstance(expr, tree.Call) else tree.Call(expr.span, expr, [])
    name = call.function
    if not isinstance(name, tree.Name) or name.id not in optimizers():
        guess = closest(name.span.text, list(optimizers()))
        hint = f"did you mean `{guess}`?" if guess else f"the optimizers are {', '.join(optimizers())}"
        raise fail("DLS0513", f"`{name.span.text}` is no optimizer", name.span, "unknown optimizer", hint)
    cls = optimizers()[name.id]
    given = [Given(a.name, evaluate(a.value, frame), a.value.span, None) for a in call.arguments]
    made: OptimizerSpec = construct(cls, name.id, bind(cls, given, expr.span), expr.span)
    return made
