"""Randomness, explicit: every tensor of chance comes from a named stream, so that a run can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PositiveFloat

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op
from dlspec.ir.types import DType, TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import numpy_dtype, require_float

Probability = Annotated[float, Field(ge=0, le=1)]


class Draws:
    """Where a reference takes its randomness: `uniform(shape)` and `normal(shape)` of one stream.

    `name` tells apart the places of a program, `seed` the runs.
    """

    def __init__(self, seed: int = 0, name: str = "") -> None:
        self.seed, self.name = seed, name

    def uniform(self, shape: Any) -> Any:
        from dlspec.ops import streams

        return streams.uniform(self.seed, self.name, shape)

    def normal(self, shape: Any) -> Any:
        from dlspec.ops import streams

        return streams.normal(self.seed, self.name, shape)


class Dropout(Op):
    """In training 0 with probability p, else x / (1 - p); in inference x (Srivastava et al. 2014)."""

    stateful: ClassVar = True
    examples: ClassVar = [({}, ("f32[2, 3]",)), ({"p": 0.2}, ("f32[2, 3, 4]",)), ({"p": 0.0}, ("f32[3]",))]

    p: Annotated[float, Field(ge=0, lt=1)] = 0.5
    stream: str = ""

    @property
    def random(self) -> bool:
        return self.p > 0

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, "`Dropout`")
        return x

    def reference(self, x: Any, *, training: bool = False, draws: Any = None) -> Any:
        if not training or self.p == 0:
            return x
        keep = (draws or Draws()).uniform(x.shape) < 1 - self.p
        return np.where(keep, x / (1 - self.p), 0).astype(x.dtype)

    def decompose(self, b: Any, x: Any) -> Any:
        """The form in training; in inference the operator is dropped by a pass."""
        if self.p == 0:
            return b.slice(x, index=("...",))
        keep = b.bernoulli(p=1 - self.p, shape=x.type.shape, dtype=x.type.dtype, stream=self.stream)
        return x * keep / (1 - self.p)


class _Random(Op):
    """A tensor drawn anew in every step. `stream` names where it is drawn from; by default its own place."""

    operands: ClassVar = ()

    if TYPE_CHECKING:  # each class states its fields itself, in the order of its positional arguments
        shape: tuple[Dim, ...]
        dtype: DType

    @property
    def random(self) -> bool:
        return True

    def infer(self) -> TensorType:
        return tensor(self.dtype, self.shape)


class Uniform(_Random):
    """Numbers spread evenly over [low, high)."""

    examples: ClassVar = [({"shape": [2, 3]}, ()), ({"shape": [4], "low": -1.0}, ())]

    shape: tuple[Dim, ...]
    low: float = 0.0
    high: float = 1.0
    dtype: DType = "f32"
    stream: str = ""

    def reference(self, *, draws: Any = None) -> Any:
        u = (draws or Draws()).uniform(self.shape)
        return (self.low + (self.high - self.low) * u).astype(numpy_dtype(self.dtype))


class Normal(_Random):
    """Numbers of the normal distribution with this mean and standard deviation."""

    examples: ClassVar = [({"shape": [2, 3]}, ()), ({"shape": [4], "mean": 1.0, "std": 0.1}, ())]

    shape: tuple[Dim, ...]
    mean: float = 0.0
    std: PositiveFloat = 1.0
    dtype: DType = "f32"
    stream: str = ""

    def reference(self, *, draws: Any = None) -> Any:
        z = (draws or Draws()).normal(self.shape)
        return (self.mean + self.std * z).astype(numpy_dtype(self.dtype))


class Bernoulli(_Random):
    """1 with probability p, else 0."""

    examples: ClassVar = [({"p": 0.3, "shape": [2, 3]}, ()), ({"p": 1.0, "shape": [2]}, ())]

    p: Probability
    shape: tuple[Dim, ...]
    dtype: DType = "f32"
    stream: str = ""

    def reference(self, *, draws: Any = None) -> Any:
        return ((draws or Draws()).uniform(self.shape) < self.p).astype(numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        u = b.uniform(shape=self.shape, stream=self.stream)
        return b.cast(b.less(u, self.p), dtype=self.dtype)


class Gumbel(_Random):
    """-log(-log(u)) for u uniform: noise whose argmax samples a softmax (Gumbel 1954)."""

    examples: ClassVar = [({"shape": [2, 3]}, ())]

    shape: tuple[Dim, ...]
    dtype: DType = "f32"
    stream: str = ""

    def reference(self, *, draws: Any = None) -> Any:
        u = (draws or Draws()).uniform(self.shape)
        return -np.log(-np.log(u)).astype(numpy_dtype(self.dtype))

    def decompose(self, b: Any) -> Any:
        return -b.log(-b.log(b.uniform(shape=self.shape, dtype=self.dtype, stream=self.stream)))
