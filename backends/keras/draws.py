"""Random numbers by counting: functions of stream, seed, step and element.

The same on every machine and for both frameworks, and no draw moves another.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import keras
from keras import layers, ops

Tensor = Any

seed = 0
step = keras.Variable(0, dtype="int32", trainable=False, name="step")
drawn: Counter[str] = Counter()  # how often from each stream in this step


def next_step() -> None:
    """Begin a training step: new numbers."""
    step.assign_add(1)
    drawn.clear()


def same_step() -> None:
    """Draw the numbers of this step from the start."""
    drawn.clear()


def shifted(x: Tensor, count: int) -> Tensor:
    """A shift to the right that brings in zeros: integers of Keras have a sign."""
    return ops.bitwise_and(ops.right_shift(x, count), 2 ** (32 - count) - 1)


def mixed(x: Tensor) -> Tensor:
    """32-bit integers, each mixed as MurmurHash3 ends (Appleby 2008)."""
    x = ops.bitwise_xor(x, shifted(x, 16)) * (0x85EBCA6B - 2**32)
    x = ops.bitwise_xor(x, shifted(x, 13)) * (0xC2B2AE35 - 2**32)
    return ops.bitwise_xor(x, shifted(x, 16))


def counted(shape: Sequence[Any], stream: str) -> Tensor:
    """Numbers in (0, 1): 23 bits and a half, which are exact in f32."""
    drawn[stream] += 1
    key = crc32(f"{seed} {drawn[stream]} {stream}".encode())
    key = key - 2**32 if key >= 2**31 else key
    turn = mixed(ops.bitwise_xor(step.value, key))
    element = ops.arange(math.prod(shape), dtype="int32")
    bits = mixed(mixed(ops.bitwise_xor(element, turn)) + mixed(turn))
    u = (ops.cast(shifted(bits, 9), "float64") + 0.5) * 2**-23
    return ops.reshape(u, shape)


def uniform(
    shape: Sequence[Any],
    stream: str,
    low: float = 0.0,
    high: float = 1.0,
    dtype: str | None = None,
) -> Tensor:
    """Numbers spread evenly over (low, high)."""
    u = counted(shape, stream)
    return ops.cast(low + (high - low) * u, dtype or keras.config.floatx())


def normal(
    shape: Sequence[Any],
    stream: str,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: str | None = None,
) -> Tensor:
    """Normal numbers (Box and Muller 1958)."""
    u, v = (counted(shape, f"{stream} {part}") for part in "uv")
    z = ops.sqrt(-2 * ops.log(u)) * ops.cos(2 * math.pi * v)
    return ops.cast(mean + std * z, dtype or keras.config.floatx())


class Dropout(layers.Layer):
    """Dropout with the mask of a stream."""

    def __init__(self, p: float, stream: str) -> None:
        super().__init__()
        self.p, self.stream = p, stream

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training:
            return x
        keep = counted(ops.shape(x), self.stream) < 1 - self.p
        return ops.where(keep, x / (1 - self.p), 0.0)
