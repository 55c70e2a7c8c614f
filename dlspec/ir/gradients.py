"""`grad`: a gradient as a value. The frameworks differentiate; here is only what they need to know.

Not among the operators of `dlspec/ops`: what a gradient is cannot be said of one node, since it depends on
how its operand was computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.diagnostics import fail
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, tensor

if TYPE_CHECKING:
    from dlspec.ir.graph import Graph


class Watch(Op):
    """x, from where on computations are recorded for one `Grad`; also the record.

    leaf
        x is an input of the graph, into which no gradient flows any further.
    """

    leaf: bool = False

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        return x, tensor("bool", ())

    def reference(self, x: Any) -> Any:
        return x, True


class Grad(Op):
    """The gradient of the number y with respect to x: of x's type. `record` is what `Watch` began with x.

    again
        the gradient is itself differentiated, as that of a gradient penalty is.
    """

    operands: ClassVar = ("y", "x", "record")

    again: bool = True

    def infer(self, y: TensorType, x: TensorType, record: TensorType) -> TensorType:
        return x

    def reference(self, *arrays: Any, **weights: Any) -> Any:
        raise fail("DLS0702", "the NumPy interpreter does not differentiate, so it cannot compute `grad`",
                   hint="run it on PyTorch or Keras")  # fmt: skip


INTERNAL: dict[str, type[Op]] = {"watch": Watch, "grad": Grad}
"""By name, as backends and serialised graphs call them."""


def takes_gradient(graph: Graph) -> bool:
    """Whether something in a graph is differentiated."""
    return any(isinstance(node.op, Grad) for node in graph.nodes)
