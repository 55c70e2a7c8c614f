"""Element types in NumPy, and how two of them meet."""

from __future__ import annotations

from typing import Any

from dlspec.ir.op import OpError
from dlspec.ir.types import PROMOTION, TensorType, tensor

NUMPY_NAMES = {
    "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "float32",
    "i64": "int64", "i32": "int32", "i8": "int8", "u8": "uint8", "bool": "bool",
}  # fmt: skip


def numpy_dtype(dtype: str) -> Any:
    """The NumPy element type (bf16 has none there and is held as f32)."""
    return NUMPY_NAMES[dtype]


def promote(*types: TensorType) -> str:
    """The element type in which tensors of these types are combined."""
    return max((t.dtype for t in types), key=PROMOTION.index)


def require_float(x: TensorType, what: str) -> None:
    """Raise `OpError` unless `x` holds floating-point numbers."""
    if not x.is_float:
        raise OpError(
            f"{what} needs floating-point numbers, but got {x}",
            operand=0,
            label=f"not for {x.dtype}",
            hint='convert with `cast(x, "f32")`',
            code="DLS0304",
        )


def require_rank(x: TensorType, ranks: tuple[int, ...], what: str, layout: str, operand: int = 0) -> None:
    """Raise `OpError` unless `x` has one of these numbers of axes; `layout` says what they are."""
    if x.rank not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise OpError(
            f"{what} expects {wanted} axes {layout}, but got {x} with {x.rank}",
            operand=operand,
            label=f"needs {wanted} axes, not {x.rank}",
            code="DLS0302",
        )


def same_dtype(x: TensorType) -> TensorType:
    """The type of an elementwise result."""
    return tensor(x.dtype, x.shape)
