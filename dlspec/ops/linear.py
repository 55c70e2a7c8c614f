"""Matrix products and the layers made of them."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.dims import Dim
from dlspec.ir.op import Init, Op, OpError, WeightSpec, broadcast
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import known
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import promote, require_float


class Matmul(Op):
    """Matrix product over the last two axes, the others broadcast (`a @ b`)."""

    operands: ClassVar = ("x", "y")
    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]", "f32[2, 4, 5]")),
        ({}, ("f32[2, 3, 4]", "f32[4, 5]")),
    ]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        if x.rank < 2 or y.rank < 2:
            raise OpError(
                f"a matrix product needs two axes on each side, but got {x} and {y}",
                label=f"{x.rank} and {y.rank} axes",
                hint="add an axis with `unsqueeze`, or use `einsum`",
                code="DLS0302",
            )
        if x.shape[-1] != y.shape[-2]:
            raise OpError(
                f"a matrix product of {x} and {y}: {x.shape[-1]} columns meet {y.shape[-2]} rows",
                label=f"{x.shape[-1]} against {y.shape[-2]}",
                hint=_product_hint(x, y),
            )
        batch = broadcast(x.shape[:-2], y.shape[:-2])
        return tensor(promote(x, y), (*batch, x.shape[-2], y.shape[-1]))

    def macs(self, x: TensorType, y: TensorType) -> Dim:
        result = self.infer(x, y)
        return result.size * x.shape[-1]

    def reference(self, x: Any, y: Any) -> Any:
        return x @ y


class Linear(Op):
    """y = x W^T + b over the last axis. W is [out_features, in_features].

    Drawn as PyTorch draws it: both uniform within 1 / sqrt(in_features).
    """

    stateful: ClassVar = True
    examples: ClassVar = [
        ({"out_features": 5}, ("f32[2, 4]",)),
        ({"out_features": 5, "bias": False}, ("f32[2, 3, 4]",)),
    ]

    out_features: PositiveInt
    bias: bool = True
    weight_init: Init | None = None
    bias_init: Init | None = None

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, "`Linear`")
        if x.rank < 1:
            raise OpError(
                "`Linear` needs at least one axis, but got a scalar",
                operand=0,
                label="a scalar goes in",
                code="DLS0302",
            )
        if not isinstance(x.shape[-1], int):
            raise OpError(
                f"`Linear` expects the last dimension to be known, but here it is `{x.shape[-1]}`",
                operand=0,
                label="needs a fixed size on axis -1",
                hint=f"give `{x.shape[-1]}` a size where the input is declared",
                code="DLS0305",
            )
        return x.with_shape((*x.shape[:-1], self.out_features))

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        fan_in = known(x.shape[-1], "the last dimension")
        default = Init(kind="uniform", args=(-(fan_in**-0.5), fan_in**-0.5))
        weight = WeightSpec(
            name="weight",
            type=tensor("f32", (self.out_features, fan_in)),
            init=self.weight_init or default,
            fan_in=fan_in,
            fan_out=self.out_features,
        )
        bias = WeightSpec(
            name="bias",
            type=tensor("f32", (self.out_features,)),
            init=self.bias_init or default,
            fan_in=fan_in,
            fan_out=self.out_features,
        )
        return (weight, bias) if self.bias else (weight,)

    def macs(self, x: TensorType) -> Dim:
        return x.size * self.out_features

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"in_features": x.shape[-1], "rank": x.rank}

    def reference(self, x: Any, weight: Any, bias: Any = None) -> Any:
        y = x @ np.swapaxes(weight, 0, 1)
        return y if bias is None else y + bias

    def decompose(self, b: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        y = x @ b.transpose(weight)
        return y if bias is None else y + bias


def _product_hint(x: TensorType, y: TensorType) -> str | None:
    """How sides that do not fit could: turned round, or, such as with a shared table of words, made as wide."""
    if x.shape[-1] == y.shape[-1]:
        return "turn the right side round: `a @ transpose(b)`, or leave out the `transpose` that is there"
    rows = y.shape[-2]
    return (
        f"`-> Linear({rows})` makes the left side as wide as the right side is high"
        if isinstance(rows, int)
        else None
    )
