"""Normalisation over the batch, over channels, over groups of channels, and among neighbouring channels."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from dlspec.ir.dims import exact_quotient
from dlspec.ir.op import Init, Op, OpError, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops._windows import known_channels
from dlspec.ops.dtypes import require_float, require_rank

ONES, ZEROS = Init(kind="ones"), Init(kind="zeros")


def normalise(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """NumPy: `x` less its mean, over its standard deviation, both along `axes`."""
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)


def normalised(b: Any, x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """The same in simpler operators."""
    centred = x - b.mean(x, axis=axes, keepdims=True)
    return centred / b.sqrt(b.mean(centred * centred, axis=axes, keepdims=True) + eps)


class _Channelwise(Op):
    """Scales and shifts each channel (axis 1) by weights of shape [C]."""

    stateful: ClassVar = True
    least_rank: ClassVar = 2

    def infer(self, x: TensorType) -> TensorType:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        if x.rank < self.least_rank:
            layout = "[N, C] or [N, C, ...]" if self.least_rank == 2 else "[N, C, ...]"
            raise OpError(
                f"{name} expects {layout}, but got {x}",
                operand=0,
                label=f"needs at least {self.least_rank} axes",
                code="DLS0302",
            )
        known_channels(x, self.spec_name())
        return x

    def _scale(self, x: TensorType) -> tuple[WeightSpec, ...]:
        shape = tensor("f32", (x.shape[1],))
        inits = {"weight": ONES, "bias": ZEROS}
        return tuple(WeightSpec(name=name, type=shape, init=init) for name, init in inits.items())

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"channels": x.shape[1], "rank": x.rank, "spatial_rank": x.rank - 2}

    def _affine(self, y: Any, weight: Any, bias: Any) -> Any:
        if weight is None:
            return y
        shape = (-1, *(1,) * (y.ndim - 2))
        return y * weight.reshape(shape) + bias.reshape(shape)

    def _affine_nodes(self, b: Any, y: Any, weight: Any, bias: Any) -> Any:
        if weight is None:
            return y
        return y * _across(b, weight, y) + _across(b, bias, y)


def _across(b: Any, weight: Any, y: Any) -> Any:
    """A weight of shape [C], shaped so that it meets axis 1 of `y`."""
    spatial = y.type.rank - 2
    return b.reshape(weight, shape=(weight.type.shape[0], *(1,) * spatial)) if spatial else weight


class BatchNorm(_Channelwise):
    """y = weight * (x - mean) / sqrt(var + eps) + bias for each channel (Ioffe and Szegedy 2015).

    In training, mean and var (biased) are those of the batch and all positions, and the running values move:
    running = (1 - momentum) * running + momentum * new, where the new variance is the unbiased one.
    Otherwise the running values are used. Channels are axis 1 of any tensor with at least two axes.
    """

    examples: ClassVar = [
        ({}, ("f32[4, 3]",)),
        ({}, ("f32[4, 3, 5]",)),
        ({"eps": 1e-3, "momentum": 0.01}, ("f32[2, 3, 4, 5]",)),
        ({"affine": False}, ("f32[2, 3, 4, 5]",)),
        ({}, ("f32[2, 3, 2, 2, 3]",)),
    ]

    eps: PositiveFloat = 1e-5
    momentum: NonNegativeFloat = 0.1
    affine: bool = True

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        shape = tensor("f32", (x.shape[1],))
        return (
            *(self._scale(x) if self.affine else ()),
            WeightSpec(name="running_mean", type=shape, init=ZEROS, trainable=False),
            WeightSpec(name="running_var", type=shape, init=ONES, trainable=False),
        )

    def reference(
        self,
        x: Any,
        running_mean: Any,
        running_var: Any,
        weight: Any = None,
        bias: Any = None,
        *,
        training: bool = False,
    ) -> Any:
        """The result; in training a tuple with the new running mean and variance after it."""
        axes = (0, *range(2, x.ndim))
        if training:
            y = self._affine(normalise(x, axes, self.eps), weight, bias)
            m = self.momentum
            mean = (1 - m) * running_mean + m * x.mean(axis=axes)
            return y, mean, (1 - m) * running_var + m * x.var(axis=axes, ddof=1)
        shape = (-1, *(1,) * (x.ndim - 2))
        y = (x - running_mean.reshape(shape)) / np.sqrt(running_var.reshape(shape) + self.eps)
        return self._affine(y, weight, bias)

    def decompose(
        self, b: Any, x: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None
    ) -> Any:
        """As it is used after training."""
        y = (x - _across(b, running_mean, x)) / b.sqrt(_across(b, running_var, x) + self.eps)
        return self._affine_nodes(b, y, weight, bias)


class InstanceNorm(_Channelwise):
    """Each channel of each example normalised over its positions (Ulyanov et al. 2016).

    y = (x - mean) / sqrt(var + eps), var biased; with affine = true times a weight plus a bias per channel.
    """

    least_rank: ClassVar = 3
    examples: ClassVar = [
        ({}, ("f32[2, 3, 5]",)),
        ({"affine": True}, ("f32[2, 3, 4, 5]",)),
        ({"eps": 1e-3}, ("f32[2, 3, 2, 3, 2]",)),
    ]

    eps: PositiveFloat = 1e-5
    affine: bool = False

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        return self._scale(x) if self.affine else ()

    def reference(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        return self._affine(normalise(x, tuple(range(2, x.ndim)), self.eps), weight, bias)

    def decompose(self, b: Any, x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = normalised(b, x, tuple(range(2, x.type.rank)), self.eps)
        return self._affine_nodes(b, y, weight, bias)


class GroupNorm(_Channelwise):
    """Channels in groups, each group of each example normalised over its channels and positions.

    y = weight * (x - mean) / sqrt(var + eps) + bias, var biased, weights per channel (Wu and He 2018).
    """

    examples: ClassVar = [
        ({"groups": 2}, ("f32[2, 4, 3, 5]",)),
        ({"groups": 1}, ("f32[2, 3, 5]",)),
        ({"groups": 3, "affine": False}, ("f32[2, 6]",)),
        ({"groups": 4, "eps": 1e-3}, ("f32[2, 4, 3, 2]",)),
    ]

    groups: PositiveInt
    eps: PositiveFloat = 1e-5
    affine: bool = True

    def infer(self, x: TensorType) -> TensorType:
        super().infer(x)
        channels = known_channels(x, "GroupNorm")
        if channels % self.groups:
            raise OpError(
                f"`GroupNorm` cannot divide the {channels} channels of {x} into {self.groups} groups",
                operand=0,
                argument="groups",
                label="does not divide them",
                hint=f"choose a number of groups that divides {channels}",
                code="DLS0306",
            )
        return x

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        return self._scale(x) if self.affine else ()

    def reference(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        grouped = x.reshape(x.shape[0], self.groups, -1, *x.shape[2:])
        y = normalise(grouped, tuple(range(2, grouped.ndim)), self.eps).reshape(x.shape)
        return self._affine(y, weight, bias)

    def decompose(self, b: Any, x: Any, weight: Any = None, bias: Any = None) -> Any:
        batch, channels, *lengths = x.type.shape
        grouped = b.reshape(x, shape=(batch, self.groups, exact_quotient(channels, self.groups), *lengths))
        y = normalised(b, grouped, tuple(range(2, x.type.rank + 1)), self.eps)
        return self._affine_nodes(b, b.reshape(y, shape=x.type.shape), weight, bias)


class LocalResponseNorm(Op):
    """Each channel damped by the squares of its neighbours (Krizhevsky et al. 2012), [N, C, ...].

    y[c] = x[c] / (k + alpha / size * sum of x[j]^2 over j from c - size // 2 to c + (size - 1) // 2)^beta, where
    channels that do not exist count as 0. As in PyTorch, ONNX and Caffe, `alpha` is divided by `size`; the
    paper's is not, so that its 1e-4 is size * 1e-4 here.
    """

    examples: ClassVar = [
        ({"size": 3}, ("f32[2, 5, 3, 4]",)),
        ({"size": 5, "alpha": 0.5, "beta": 0.5, "k": 2}, ("f32[2, 4, 3]",)),
        ({"size": 4, "alpha": 0.1}, ("f32[1, 6, 2, 2]",)),
        ({"size": 1, "alpha": 1}, ("f32[2, 3, 2, 2, 3]",)),
    ]

    size: PositiveInt
    alpha: NonNegativeFloat = 1e-4
    beta: NonNegativeFloat = 0.75
    k: PositiveFloat = 1.0

    def infer(self, x: TensorType) -> TensorType:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        require_rank(x, (3, 4, 5), name, "[N, C, ...]")
        known_channels(x, self.spec_name())
        return x

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`odd`: the window reaches as far to both sides; where it does not, conventions differ."""
        return {"odd": self.size % 2 == 1, "rank": x.rank}

    @property
    def _reach(self) -> tuple[int, int]:
        return self.size // 2, (self.size - 1) // 2

    def reference(self, x: Any) -> Any:
        squares = np.pad(x * x, ((0, 0), self._reach, *((0, 0),) * (x.ndim - 2)))
        total = sum(squares[:, i : i + x.shape[1]] for i in range(self.size))
        return x / (self.k + self.alpha / self.size * total) ** self.beta

    def decompose(self, b: Any, x: Any) -> Any:
        channels = x.type.shape[1]
        squares = b.pad(b.square(x), padding=((0, 0), self._reach, *((0, 0),) * (x.type.rank - 2)))
        total = b.slice(squares, index=(slice(None), slice(0, channels)))
        for i in range(1, self.size):
            total = total + b.slice(squares, index=(slice(None), slice(i, i + channels)))
        return x / b.pow(total * (self.alpha / self.size) + self.k, self.beta)
