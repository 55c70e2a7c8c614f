"""The operators' meaning against PyTorch's, on every example, in double precision.

A row says how torch writes the operator, from its fields `o` and operands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlspec.runtime.interpreter import apply
from tests.laws import Case, cases

torch = pytest.importorskip("torch")
F = torch.nn.functional

# Written alike in torch, with no arguments but the operands.
SAME = """
    add sub mul pow neg abs exp log log1p expm1 sqrt rsqrt square sign reciprocal floor ceil round
    sin cos tanh erf maximum minimum logical_and logical_or logical_not where isnan matmul sigmoid
"""
OTHER = {
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "div": "true_divide",
}
NAMES = {**{name: name for name in SAME.split()}, **OTHER}
ACTIVATIONS = "relu relu6 selu silu mish softsign logsigmoid hardsigmoid hardswish"
RENAMED = {"logsigmoid": "log_sigmoid", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_swish"}


def plain(function: Any) -> Any:
    return lambda o, *xs: function(*xs)


def reduced(name: str) -> Any:
    return lambda o, x: getattr(torch, name)(x, dim=o.axis, keepdim=o.keepdims)


def pairwise(function: Any, **names: str) -> Any:
    """A loss of torch on a target that is a number for all, or of another type, as here."""

    def compute(o: Any, x: Any, t: Any) -> Any:
        t = t.to(x.dtype).expand(x.shape)
        return function(
            x, t, reduction=o.reduction, **{theirs: getattr(o, ours) for theirs, ours in names.items()}
        )

    return compute


def classification(o: Any, logits: Any, label: Any, **more: Any) -> Any:
    ignored = -100 if o.ignore_index is None else o.ignore_index
    scores = logits.movedim(o.axis, 1)
    return F.cross_entropy(scores, label, ignore_index=ignored, reduction=o.reduction, **more)


def attention(o: Any, q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    if o.similarity == "euclidean":
        weights = torch.softmax(
            (-torch.cdist(q, k)).masked_fill(torch.ones(q.shape[-2], k.shape[-2]).triu(1) > 0, -np.inf), -1
        )
        return weights @ v
    if o.similarity == "cosine":
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
    if o.causal and mask is not None:
        mask = mask & (torch.ones(q.shape[-2], k.shape[-2]).tril() > 0)
    scale = {"dot": 1.0, "cosine": 1.0}.get(o.similarity) if o.scale is None else o.scale
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=o.causal and mask is None, scale=scale,
        enable_gqa=q.ndim > 2 and q.shape[-3] != k.shape[-3],
    )  # fmt: skip


def top_k(o: Any, logits: Any, label: Any) -> Any:
    best = logits.movedim(o.axis, -1).sort(dim=-1, descending=True, stable=True).indices[..., : o.k]
    return (best == label[..., None]).any(-1).double().mean()


def repeated(o: Any, x: Any) -> Any:
    return x.repeat(*o.repeats)


def sliced(o: Any, x: Any) -> Any:
    return x[tuple(slice(*e) if isinstance(e, tuple) else e for e in o.index)]


def padded(o: Any, x: Any) -> Any:
    if o.mode == "constant":
        return F.pad(x, o.facts(x_type(x))["last_first"], value=o.value)
    mode = {"edge": "replicate", "wrap": "circular"}.get(o.mode, o.mode)
    for axis, pair in enumerate(o.padding):
        # torch borrows along the last axes of a batch only: one axis at a time, moved to the end.
        last = x.movedim(axis, -1)
        wide = F.pad(last.reshape(1, -1, last.shape[-1]), pair, mode=mode)
        x = wide.reshape(*last.shape[:-1], -1).movedim(-1, axis)
    return x


def x_type(x: Any) -> Any:
    from dlspec.ir.types import tensor

    return tensor("f32", tuple(x.shape))


def norm(o: Any, x: Any) -> Any:
    return torch.linalg.vector_norm(x, float(o.p), dim=o.axis, keepdim=o.keepdims)


def prod(o: Any, x: Any) -> Any:
    for axis in reversed(o.axis):
        x = x.prod(axis, keepdim=o.keepdims)
    return x


TABLE: dict[str, Any] = {
    **{ours: plain(getattr(torch, name)) for ours, name in NAMES.items()},
    **{RENAMED.get(name, name): plain(getattr(F, name)) for name in ACTIVATIONS.split()},
    "clip": lambda o, x: torch.clamp(x, o.min, o.max),
    "stop_gradient": lambda o, x: x.detach(),
    "leaky_relu": lambda o, x: F.leaky_relu(x, o.negative_slope),
    "elu": lambda o, x: F.elu(x, o.alpha),
    "celu": lambda o, x: F.celu(x, o.alpha),
    "gelu": lambda o, x: F.gelu(x, approximate="tanh" if o.approximate else "none"),
    "softplus": lambda o, x: F.softplus(x, o.beta),
    "hard_tanh": lambda o, x: F.hardtanh(x, o.min, o.max),
    "PReLU": lambda o, x, weight: F.prelu(x, weight),
    "softmax": lambda o, x: torch.softmax(x, o.axis),
    "log_softmax": lambda o, x: torch.log_softmax(x, o.axis),
    "glu": lambda o, x: F.glu(x, o.axis),
    "sum": lambda o, x: torch.sum(x, dim=o.axis, keepdim=o.keepdims) if o.axis else x,
    "mean": reduced("mean"), "max": reduced("amax"), "min": reduced("amin"), "any": reduced("any"),
    "all": reduced("all"), "logsumexp": reduced("logsumexp"), "prod": prod, "norm": norm,
    "var": lambda o, x: torch.var(x, o.axis, correction=int(o.unbiased), keepdim=o.keepdims),
    "std": lambda o, x: torch.std(x, o.axis, correction=int(o.unbiased), keepdim=o.keepdims),
    "argmax": lambda o, x: torch.argmax(x, o.axis, keepdim=o.keepdims),
    "argmin": lambda o, x: torch.argmin(x, o.axis, keepdim=o.keepdims),
    "cumsum": lambda o, x: torch.cumsum(x, o.axis),
    "topk": lambda o, x: tuple(
        part.narrow(o.axis, 0, o.k) for part in torch.sort(x, dim=o.axis, descending=True, stable=True)
    ),
    "flatten": lambda o, x: torch.flatten(x, o.start, o.end),
    "reshape": lambda o, x: x.reshape(o.shape), "transpose": lambda o, x: x.permute(o.axes),
    "swapaxes": lambda o, x: x.swapaxes(o.axis1, o.axis2), "squeeze": lambda o, x: x.squeeze(o.axis),
    "expand": lambda o, x: x.expand(o.shape), "broadcast_to": lambda o, x: x.expand(o.shape),
    "concat": lambda o, *xs: torch.cat(xs, o.axis), "stack": lambda o, *xs: torch.stack(xs, o.axis),
    "split": lambda o, x: torch.split(x, list(o.sizes), o.axis),
    "chunk": lambda o, x: torch.chunk(x, o.chunks, o.axis), "unstack": lambda o, x: torch.unbind(x, o.axis),
    "slice": sliced, "flip": lambda o, x: torch.flip(x, o.axis), "pad": padded, "tile": repeated,
    "roll": lambda o, x: torch.roll(x, o.shift, o.axis),
    "repeat_interleave": lambda o, x: torch.repeat_interleave(x, o.repeats, o.axis),
    "tril": lambda o, x: torch.tril(x, o.diagonal), "triu": lambda o, x: torch.triu(x, o.diagonal),
    "one_hot": lambda o, x: F.one_hot(x, o.classes),
    "Embedding": lambda o, x, weight: F.embedding(x, weight, padding_idx=o.padding_idx),
    "gather": lambda o, x, i: torch.gather(x, o.axis, i),
    "scatter_add": lambda o, x, i, source: torch.scatter_add(x, o.axis, i, source),
    "einsum": lambda o, *xs: torch.einsum(o.facts(*map(x_type, xs))["equation"], *xs),
    "Linear": lambda o, x, weight, bias=None: F.linear(x, weight, bias),
    "attention": attention,
    "cross_entropy": lambda o, x, t: classification(o, x, t, label_smoothing=o.label_smoothing),
    "nll_loss": lambda o, x, t: F.nll_loss(
        x.movedim(o.axis, 1), t, ignore_index=-100 if o.ignore_index is None else o.ignore_index,
        reduction=o.reduction,
    ),
    "mse_loss": pairwise(F.mse_loss), "l1_loss": pairwise(F.l1_loss),
    "huber_loss": pairwise(F.huber_loss, delta="delta"),
    "smooth_l1_loss": pairwise(F.smooth_l1_loss, beta="beta"),
    "bce_with_logits": lambda o, x, t: F.binary_cross_entropy_with_logits(
        x, t.to(x.dtype).expand(x.shape), reduction=o.reduction,
        pos_weight=None if o.pos_weight is None else torch.tensor(o.pos_weight, dtype=x.dtype),
    ),
    "kl_div": pairwise(F.kl_div, log_target="log_target"),
    "poisson_nll_loss": pairwise(F.poisson_nll_loss, log_input="log_input"),
    "cosine_similarity": lambda o, x, y: F.cosine_similarity(x, y, o.axis, o.eps),
    "accuracy": lambda o, x, t: (x.argmax(o.axis) == t).double().mean(),
    "top_k_accuracy": top_k,
    "mean_absolute_error": lambda o, x, t: F.l1_loss(x, t.to(x.dtype)),
    "mean_squared_error": lambda o, x, t: F.mse_loss(x, t.to(x.dtype)),
}  # fmt: skip

CASES = [pytest.param(case, id=case.id) for case in cases() if case.op.spec_name() in TABLE]


@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
@pytest.mark.parametrize("case", CASES)
def test_an_operator_computes_what_torch_does(case: Case) -> None:
    operands = [torch.tensor(_double(a)) for a in case.inputs if a is not None]
    weights = {name: torch.tensor(_double(a)) for name, a in case.weights.items()}
    theirs = TABLE[case.op.spec_name()](case.op, *operands, **weights)
    ours = apply(case.op, case.inputs, case.weights, double=True)
    for mine, other in zip(ours, theirs if isinstance(theirs, tuple | list) else [theirs], strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-7, atol=3e-8)


def _double(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array
