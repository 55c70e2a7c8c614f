"""What changes how a tensor is held or differentiated, not what it says."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.op import Op
from dlspec.ir.types import DType, TensorType
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import numpy_dtype, require_float


class Cast(Op):
    """x converted to `dtype`: floats to integers cut towards zero, numbers to bool by x != 0."""

    examples: ClassVar = [
        ({"dtype": "i64"}, ("f32[2, 3]",)),
        ({"dtype": "f32"}, ("i64[2, 3]",)),
        ({"dtype": "f32"}, ("bool[3]",)),
        ({"dtype": "bool"}, ("i64[3] < 2",)),
        ({"dtype": "f32"}, ("f32[2]",)),
    ]

    dtype: DType

    def infer(self, x: TensorType) -> TensorType:
        return x.with_dtype(self.dtype)

    def reference(self, x: Any) -> Any:
        return np.asarray(x).astype(numpy_dtype(self.dtype))


class StopGradient(Op):
    """x, through which no gradient flows."""

    examples: ClassVar = [({}, ("f32[2, 3]",))]

    def infer(self, x: TensorType) -> TensorType:
        return x

    def reference(self, x: Any) -> Any:
        return x


class ReverseGradient(Op):
    """x, whose gradient is multiplied by -scale on the way back (Ganin and Lempitsky 2015)."""

    examples: ClassVar = [({}, ("f32[2, 3]",)), ({"scale": 0.1}, ("f32[2, 3]",))]

    scale: float = 1.0

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, "`reverse_gradient`")
        return x

    def reference(self, x: Any) -> Any:
        return x
