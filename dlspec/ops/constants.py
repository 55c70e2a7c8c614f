"""Constants and raw weights: values with no operands."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.dims import Dim
from dlspec.ir.op import Init, Op, OpError, WeightSpec
from dlspec.ir.types import DType, Shape, TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import numpy_dtype


class Constant(Op):
    """A scalar, or a nested list of numbers, fixed at compile time."""

    operands: ClassVar = ()
    examples: ClassVar = [({"value": 2.5}, ()), ({"value": [[1, 2], [3, 4]], "dtype": "i64"}, ())]

    value: Any
    dtype: DType = "f32"

    def infer(self) -> TensorType:
        return tensor(self.dtype, _shape_of(self.value))

    def reference(self) -> Any:
        return np.asarray(self.value, dtype=numpy_dtype(self.dtype))


class Parameter(Op):
    """A raw trainable tensor of a given shape."""

    stateful: ClassVar = True
    operands: ClassVar = ()
    examples: ClassVar = [({"shape": [2, 3]}, ())]

    shape: tuple[int, ...]
    init: Init = Init(kind="zeros")
    trainable: bool = True

    def infer(self) -> TensorType:
        return tensor("f32", self.shape)

    def weights(self) -> tuple[WeightSpec, ...]:
        return (
            WeightSpec(name="value", type=self.infer(), init=self.init, trainable=self.trainable, bare=True),
        )

    def reference(self, value: Any) -> Any:
        return value


class Size(Op):
    """The length of an axis as a scalar, also when it is symbolic: what a spec means by `x / T`."""

    operands: ClassVar = ()
    examples: ClassVar = [({"dim": 7}, ()), ({"dim": 3, "dtype": "i64"}, ())]

    dim: Dim
    dtype: DType = "f32"

    def infer(self) -> TensorType:
        return tensor(self.dtype)

    def reference(self) -> Any:
        return np.asarray(self.dim, dtype=numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        return b.constant(self.dim, dtype=self.dtype) if isinstance(self.dim, int) else NotImplemented


class Arange(Op):
    """start, start + step, ... up to but without stop; `arange(n)` counts from 0."""

    operands: ClassVar = ()
    examples: ClassVar = [
        ({"start": 5}, ()),
        ({"start": 2, "stop": 9, "step": 3}, ()),
        ({"start": 4, "stop": -1, "step": -1}, ()),
        ({"start": 3, "dtype": "f32"}, ()),
        ({"start": 0}, ()),
    ]

    start: Dim
    stop: Dim | None = None
    step: int = 1
    dtype: DType = "i64"

    def resolve(self) -> Op:
        return self if self.stop is not None else self.model_copy(update={"start": 0, "stop": self.start})

    def infer(self) -> TensorType:
        start, stop = (0, self.start) if self.stop is None else (self.start, self.stop)
        if self.step == 0:
            raise OpError("the step of `arange` cannot be 0", argument="step", label="not 0", code="DLS0207")
        sign = 1 if self.step > 0 else -1
        count = ((stop - start) * sign + abs(self.step) - 1) // abs(self.step)
        return tensor(self.dtype, (max(count, 0) if isinstance(count, int) else count,))

    def reference(self) -> Any:
        start, stop = (0, self.start) if self.stop is None else (self.start, self.stop)
        return np.arange(start, stop, self.step, dtype=numpy_dtype(self.dtype))


class Full(Op):
    """A tensor of one value."""

    operands: ClassVar = ()
    examples: ClassVar = [
        ({"shape": [2, 3], "value": 1.5}, ()),
        ({"shape": [], "value": 3, "dtype": "i64"}, ()),
        ({"shape": [2], "value": True, "dtype": "bool"}, ()),
    ]

    shape: tuple[Dim, ...]
    value: bool | int | float
    dtype: DType = "f32"

    def infer(self) -> TensorType:
        return tensor(self.dtype, self.shape)

    def reference(self) -> Any:
        return np.full(self.shape, self.value, dtype=numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        return b.expand(b.constant(self.value, dtype=self.dtype), shape=self.shape)


class Zeros(Op):
    """A tensor of zeros."""

    value: ClassVar[int] = 0
    operands: ClassVar = ()
    examples: ClassVar = [({"shape": [2, 3]}, ()), ({"shape": [2], "dtype": "i64"}, ())]

    shape: tuple[Dim, ...]
    dtype: DType = "f32"

    def infer(self) -> TensorType:
        return tensor(self.dtype, self.shape)

    def reference(self) -> Any:
        return np.full(self.shape, self.value, dtype=numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        return b.full(shape=self.shape, value=self.value, dtype=self.dtype)


class Ones(Zeros):
    """A tensor of ones."""

    value: ClassVar[int] = 1


class Eye(Op):
    """n rows of m (when left out: n) columns with ones on the diagonal."""

    operands: ClassVar = ()
    examples: ClassVar = [({"n": 3}, ()), ({"n": 2, "m": 4, "dtype": "i64"}, ())]

    n: Dim
    m: Dim | None = None
    dtype: DType = "f32"

    def resolve(self) -> Op:
        return self if self.m is not None else self.model_copy(update={"m": self.n})

    def infer(self) -> TensorType:
        return tensor(self.dtype, self._shape)

    @property
    def _shape(self) -> Shape:
        return (self.n, self.n if self.m is None else self.m)

    def reference(self) -> Any:
        return np.eye(*self._shape, dtype=numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        rows, columns = self._shape
        row = b.unsqueeze(b.arange(start=0, stop=rows), axis=1)
        return b.cast(b.equal(row, b.arange(start=0, stop=columns)), dtype=self.dtype)


class OneHot(Op):
    """A new last axis of length `classes`: 1 at the class that x holds, else 0."""

    examples: ClassVar = [
        ({"classes": 5}, ("i64[2, 3] < 5",)),
        ({"classes": 4, "dtype": "i64"}, ("i64[] < 4",)),
    ]

    classes: PositiveInt
    dtype: DType = "f32"

    def infer(self, x: TensorType) -> TensorType:
        if x.is_float or x.dtype == "bool":
            raise OpError(
                f"`one_hot` needs class numbers, but got {x}",
                operand=0,
                label=f"{x.dtype}, not whole numbers",
                hint='use `cast(x, "i64")`',
                code="DLS0304",
            )
        return tensor(self.dtype, (*x.shape, self.classes))

    def reference(self, x: Any) -> Any:
        return (np.expand_dims(x, -1) == np.arange(self.classes)).astype(numpy_dtype(self.dtype))

    def decompose(self, b: Any, x: Any) -> Any:
        classes = b.arange(start=0, stop=self.classes, dtype=x.type.dtype)
        return b.cast(b.equal(b.unsqueeze(x, axis=-1), classes), dtype=self.dtype)


def _shape_of(value: Any) -> tuple[Dim, ...]:
    return (len(value), *_shape_of(value[0])) if isinstance(value, (list, tuple)) and value else ()
