"""Decompositions have PyTorch's gradients, at kinks too: they are what ONNX training differentiates.

Each operator is lowered to primitives, the primitives are run by torch, and torch differentiates both
that and its own operator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlspec.ir.builder import Builder
from dlspec.ir.graph import Graph
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, tensor
from dlspec.ops import operator
from tests.laws import Case, cases
from tests.ops.test_against_torch import TABLE

torch = pytest.importorskip("torch")

DTYPES = {
    "f32": torch.float64,
    "f64": torch.float64,
    "i64": torch.int64,
    "i32": torch.int32,
    "bool": torch.bool,
}
PRIMITIVES: dict[str, Any] = {
    **TABLE,
    "constant": lambda o: torch.tensor(o.value, dtype=DTYPES[o.dtype]),
    "arange": lambda o: torch.arange(o.start, o.stop, o.step, dtype=DTYPES[o.dtype]),
    "cast": lambda o, x: x.to(DTYPES[o.dtype]),
    "take": lambda o, x, i: x.index_select(o.axis, i.flatten()).reshape(
        *x.shape[: o.axis], *i.shape, *x.shape[o.axis + 1 :]
    ),
    # torch has no gradient of it; here it is 0, as of every step function.
    "floordiv": lambda o, x, y: torch.floor_divide(x.detach(), y.detach()),
}


def results_of(op: Op, types: tuple[TensorType | None, ...]) -> tuple[TensorType, ...]:
    inferred = op.infer(*types)
    return inferred if isinstance(inferred, tuple) else (inferred,)


def differentiable(case: Case) -> bool:
    name = case.op.spec_name()
    return (
        name in TABLE
        and type(case.op).decompose is not Op.decompose
        and any(t is not None and t.is_float for t in case.types)
        and any(t.is_float for t in results_of(case.op, case.types))
        and name not in ("mean_squared_error", "accuracy", "top_k_accuracy", "mean_absolute_error", "round")
    )


def lowered(op: Op, operands: list[Any], weights: dict[str, Any]) -> tuple[Any, ...]:
    """`op` on torch tensors, by primitives alone."""
    types = [None if x is None else kind_of(x) for x in operands]
    op = op.resolve(*types)
    b = Builder("lowered")
    handles = [None if t is None else b.input(f"x{i}", t) for i, t in enumerate(types)]
    local = {name: b.input(name, kind_of(w)) for name, w in weights.items()}
    results = op.decompose(b, *handles, **local)
    if results is NotImplemented:
        made = PRIMITIVES[op.spec_name()](op, *[x for x in operands if x is not None], **weights)
        return tuple(made) if isinstance(made, tuple | list) else (made,)
    listed = list(results) if isinstance(results, tuple | list) else [results]
    for i, handle in enumerate(listed):
        b.output(f"y{i}", handle)
    given = [x for x in (*operands, *weights.values()) if x is not None]
    return evaluate(b.build(), given)


def evaluate(graph: Graph, given: list[Any]) -> tuple[Any, ...]:
    values = {value.name: x for value, x in zip(graph.inputs, given, strict=True)}
    for node in graph.nodes:
        operands = [None if name is None else values[name] for name in node.inputs]
        values.update(zip(node.outputs, lowered(node.op, operands, {}), strict=True))
    return tuple(values[output.value] for output in graph.outputs)


def kind_of(x: Any) -> TensorType:
    names = {torch.float64: "f64", torch.int64: "i64", torch.int32: "i32", torch.bool: "bool"}
    return tensor(names[x.dtype], tuple(x.shape))


def gradients(function: Any, arrays: list[np.ndarray | None]) -> list[np.ndarray]:
    """The gradient of a fixed weighted sum of all results by every floating-point operand."""
    tensors = [None if a is None else torch.tensor(a) for a in arrays]
    leaves = [t.requires_grad_() for t in tensors if t is not None and t.is_floating_point()]
    made = function(*tensors)
    made = made if isinstance(made, tuple | list) else (made,)
    total = sum(
        (m * torch.linspace(0.5, 2, m.numel()).reshape(m.shape)).sum() for m in made if m.is_floating_point()
    )
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    return [np.zeros(leaf.shape) if g is None else g.numpy() for leaf, g in zip(leaves, found, strict=True)]


def compare(op: Op, arrays: list[np.ndarray | None], weights: dict[str, np.ndarray]) -> None:
    names, count = list(weights), len(arrays)
    arrays = [_double(a) for a in (*arrays, *weights.values())]

    def theirs(*xs: Any) -> Any:
        operands = [x for x in xs[:count] if x is not None]
        return TABLE[op.spec_name()](op, *operands, **dict(zip(names, xs[count:], strict=True)))

    def ours(*xs: Any) -> Any:
        return lowered(op, list(xs[:count]), dict(zip(names, xs[count:], strict=True)))

    for mine, other in zip(gradients(ours, arrays), gradients(theirs, arrays), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-8)


def _double(array: np.ndarray | None) -> np.ndarray | None:
    return array.astype(np.float64) if array is not None and array.dtype == np.float32 else array


@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in cases() if differentiable(c)])
def test_a_decomposition_has_torchs_gradient(case: Case) -> None:
    compare(case.op, list(case.inputs), case.weights)


KINKS = [-6.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 700.0, -700.0]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("relu", {}), ("relu6", {}), ("leaky_relu", {}), ("elu", {"alpha": 0.5}), ("celu", {"alpha": 2.0}),
        ("gelu", {}), ("silu", {}), ("mish", {}), ("softplus", {}), ("softsign", {}), ("log_sigmoid", {}),
        ("hard_sigmoid", {}), ("hard_swish", {}), ("hard_tanh", {}), ("clip", {"min": -1.0, "max": 1.0}),
        ("clip", {"min": 0.0}), ("log_softmax", {}), ("softmax", {}), ("logsumexp", {}), ("selu", {}),
    ],
)  # fmt: skip
def test_kinks_and_far_ends_have_torchs_gradient(name: str, fields: dict[str, Any]) -> None:
    array = np.array(KINKS)
    compare(operator(name)(**fields).resolve(tensor("f64", array.shape)), [array], {})


@pytest.mark.parametrize("name", ["max", "min", "norm"])
def test_ties_and_zeros_have_torchs_gradient(name: str) -> None:
    array = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [-1.0, -1.0, 3.0]])
    compare(operator(name)(axis=1).resolve(tensor("f64", array.shape)), [array], {})


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "bce_with_logits", "kl_div"]
)
@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
def test_losses_have_torchs_gradient_where_they_bend(name: str) -> None:
    x, t = np.array([0.0, 1.0, 0.0, 0.5, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 0.5, 0.5, 1.0])
    op = operator(name)()
    loss = [x, t]
    types = [tensor("f64", x.shape)] * 2
    if name in ("kl_div", "bce_with_logits"):  # torch does not differentiate these by the target alike
        array = torch.tensor(t)
        mine = gradients(lambda p: lowered(op, [p, array], {}), [x])
        other = gradients(lambda p: TABLE[name](op, p, array), [x])
        np.testing.assert_allclose(mine[0], other[0], rtol=1e-9)
        return
    compare(op.resolve(*types), loss, {})


def test_a_padding_row_gets_no_gradient() -> None:
    op = operator("Embedding")(num_embeddings=3, embedding_dim=2, padding_idx=1)
    compare(op, [np.array([0, 1, 2, 1])], {"weight": np.ones((3, 2))})
