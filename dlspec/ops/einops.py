"""Rearranging and reducing by named axes (Rogozhnikov 2022), checked before anything runs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import Axes
from dlspec.ops._numpy import np
from dlspec.ops._patterns import Plan, plan
from dlspec.ops.dtypes import require_float


class Rearrange(Op):
    """The elements of x with the axes taken apart, reordered and joined as the pattern says.

    ``rearrange(x, "n t (h d) -> n h t d", h = 8)``: sizes that do not follow from x are given by name;
    ``1`` is an axis of length 1 and ``...`` any axes.
    """

    extra_field: ClassVar = "sizes"
    examples: ClassVar = [
        ({"pattern": "n t (h d) -> n h t d", "sizes": {"h": 2}}, ("f32[2, 3, 6]",)),
        ({"pattern": "n t (three h d) -> three n h t d", "sizes": {"three": 3, "h": 2}}, ("f32[2, 3, 12]",)),
        ({"pattern": "n c h w -> n (h w) c"}, ("f32[2, 3, 2, 4]",)),
        ({"pattern": "b (h p) (w q) -> b (h w) (p q)", "sizes": {"p": 2, "q": 2}}, ("f32[1, 4, 6]",)),
        ({"pattern": "... d -> d ..."}, ("f32[2, 3, 4]",)),
        ({"pattern": "a 1 b -> b 1 1 a"}, ("i64[2, 1, 3]",)),
        ({"pattern": "a b -> a b"}, ("f32[2, 3]",)),
    ]

    pattern: str
    sizes: dict[str, Dim] = Field(default_factory=dict)

    def plan(self, x: TensorType) -> Plan:
        """The steps for a tensor like `x`."""
        return plan(self.pattern, x, self.sizes, reducing=False)

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape(self.plan(x).shape)

    def facts(self, x: TensorType) -> dict[str, Any]:
        steps = self.plan(x)
        return {"apart": steps.apart, "order": steps.order, "shape": steps.shape}

    def reference(self, x: Any) -> Any:
        steps = self.plan(tensor("f32", x.shape))
        return x.reshape(steps.apart).transpose(steps.order).reshape(steps.shape)

    def decompose(self, b: Any, x: Any) -> Any:
        steps = self.plan(x.type)
        return _ordered(b, _reshaped(b, x, steps.apart), steps)


class Reduce(Op):
    """x reduced over the axes that the pattern's right side leaves out.

    ``reduce(x, "n c (h p) (w q) -> n c h w", "max", p = 2, q = 2)`` is max pooling by 2.
    """

    extra_field: ClassVar = "sizes"
    examples: ClassVar = [
        ({"pattern": "n c h w -> n c", "reduction": "mean"}, ("f32[2, 3, 2, 4]",)),
        ({"pattern": "n (h p) -> n h", "reduction": "max", "sizes": {"p": 2}}, ("f32[2, 6]",)),
        ({"pattern": "n t d -> d n 1", "reduction": "sum"}, ("f32[2, 3, 4]",)),
        ({"pattern": "... d -> ...", "reduction": "min"}, ("f32[2, 3]",)),
        ({"pattern": "a b -> ", "reduction": "prod"}, ("f32[2, 3]",)),
    ]

    pattern: str
    reduction: Literal["mean", "sum", "max", "min", "prod"]
    sizes: dict[str, Dim] = Field(default_factory=dict)

    def plan(self, x: TensorType) -> Plan:
        """The steps for a tensor like `x`."""
        return plan(self.pattern, x, self.sizes, reducing=True)

    def infer(self, x: TensorType) -> TensorType:
        if self.reduction == "mean":
            require_float(x, '`reduce(..., "mean")`')
        return x.with_shape(self.plan(x).shape)

    def facts(self, x: TensorType) -> dict[str, Any]:
        steps = self.plan(x)
        return {"apart": steps.apart, "reduced": steps.reduced, "order": steps.order, "shape": steps.shape}

    def reference(self, x: Any) -> Any:
        steps = self.plan(tensor("f32", x.shape))
        y = getattr(np, self.reduction)(x.reshape(steps.apart), axis=steps.reduced)
        return np.reshape(np.transpose(y, steps.order), steps.shape)

    def decompose(self, b: Any, x: Any) -> Any:
        steps = self.plan(x.type)
        axis: Axes = steps.reduced
        return _ordered(b, getattr(b, self.reduction)(_reshaped(b, x, steps.apart), axis=axis), steps)


def _reshaped(b: Any, x: Any, shape: tuple[Dim, ...]) -> Any:
    return x if x.type.shape == shape else b.reshape(x, shape=shape)


def _ordered(b: Any, x: Any, steps: Plan) -> Any:
    if steps.order != tuple(range(len(steps.order))):
        x = b.transpose(x, axes=steps.order)
    return _reshaped(b, x, steps.shape)
