"""Initial weights, drawn from one seed: each weight has its own stream, so that no other weight moves it.

A weight's numbers come from the stream ``seed:name`` (`dlspec.ops.streams`), row by row. The scaled
initialisers are PyTorch's formulas on the fans that the operator states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from dlspec.ir.graph import Program, Weight
from dlspec.ops import streams
from dlspec.ops._numpy import np

CHUNK = 1 << 20  # numbers drawn at a time, so that a large weight costs its own memory and little more


def draw_weights(program: Program, model: str, seed: int = 0) -> dict[str, Any]:
    """Every weight of a model by its canonical name, f32 in canonical layout."""
    return {weight.name: draw(weight, seed) for weight in program.all_weights(program.models[model])}


def draw(weight: Weight, seed: int) -> Any:
    """One weight as its initialiser says."""
    shape = tuple(int(dim) for dim in weight.type.shape)  # type: ignore[arg-type]
    array = KINDS[weight.init.kind](_Draw(seed, weight, shape), *weight.init.numbers)
    if weight.init.zero_row is not None:
        array[weight.init.zero_row] = 0
    return array


class _Draw:
    """What the initialisers draw from: the stream of one weight."""

    def __init__(self, seed: int, weight: Weight, shape: tuple[int, ...]) -> None:
        self.seed, self.weight, self.shape = seed, weight, shape
        self.fan_in, self.fan_out = weight.fan_in, weight.fan_out

    def filled(self, value: float) -> Any:
        return np.full(self.shape, value, dtype=np.float32)

    def uniform(self, low: float, high: float) -> Any:
        return self._collect(lambda u: low + (high - low) * u)

    def normal(self, std: float, mean: float = 0.0) -> Any:
        return self._collect(lambda u: mean + std * streams.quantile(u))

    def truncated(self, std: float, mean: float = 0.0) -> Any:
        below = 0.5 * math.erfc(math.sqrt(2))  # the distribution function at -2
        return self._collect(lambda u: mean + std * streams.quantile(below + (1 - 2 * below) * u))

    def _collect(self, transform: Callable[[Any], Any]) -> Any:
        result = np.empty(math.prod(self.shape), dtype=np.float32)
        for start, u in self._chunks(result.size):
            result[start : start + u.size] = transform(u)
        return result.reshape(self.shape)

    def _chunks(self, count: int) -> Iterator[tuple[int, Any]]:
        stream = streams.generator(self.seed, self.weight.name)
        for start in range(0, count, CHUNK):
            yield start, streams.to_uniform(stream.random_raw(min(CHUNK, count - start)))

    def orthogonal(self, gain: float) -> Any:
        """The Q of a normal matrix, its signs fixed by R, as PyTorch does it."""
        rows = self.shape[0]
        columns = math.prod(self.shape[1:])
        numbers = streams.normal(self.seed, self.weight.name, (max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(numbers)
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        q = q.T if rows < columns else q
        return np.ascontiguousarray((gain * q).reshape(self.shape).astype(np.float32))

    def bilinear(self) -> Any:
        """For each channel by itself the product over the axes of 1 - |i - centre| / factor."""
        window = np.ones((), dtype=np.float64)
        for length in self.shape[2:]:
            factor = (length + 1) // 2
            centre = (length - 1) / 2
            window = window[..., None] * (1 - np.abs(np.arange(length) - centre) / factor)
        result = np.zeros(self.shape, dtype=np.float32)
        channels = np.arange(min(self.shape[:2]))
        result[channels, channels] = window
        return result

    def identity(self) -> Any:
        return np.eye(*self.shape, dtype=np.float32)


# Initialiser: how it is drawn from its numbers.
KINDS: dict[str, Callable[..., Any]] = {
    "zeros": lambda d: d.filled(0),
    "ones": lambda d: d.filled(1),
    "constant": lambda d, value: d.filled(value),
    "uniform": lambda d, low, high: d.uniform(low, high),
    "normal": lambda d, std, mean: d.normal(std, mean),
    "truncated_normal": lambda d, std, mean: d.truncated(std, mean),
    "xavier_uniform": lambda d, gain: _symmetric(d, gain * math.sqrt(6 / (d.fan_in + d.fan_out))),
    "xavier_normal": lambda d, gain: d.normal(gain * math.sqrt(2 / (d.fan_in + d.fan_out))),
    "kaiming_uniform": lambda d, gain: _symmetric(d, gain * math.sqrt(3 / d.fan_in)),
    "kaiming_normal": lambda d, gain: d.normal(gain * math.sqrt(1 / d.fan_in)),
    "lecun_normal": lambda d: d.normal(math.sqrt(1 / d.fan_in)),
    "orthogonal": lambda d, gain: d.orthogonal(gain),
    "identity": lambda d: d.identity(),
    "bilinear": lambda d: d.bilinear(),
}


def _symmetric(d: _Draw, bound: float) -> Any:
    return d.uniform(-bound, bound)
