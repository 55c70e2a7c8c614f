"""What the laws of the test suite run on: every operator's examples, with inputs drawn for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np

from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, parse_type
from dlspec.ops import operators
from dlspec.ops.dtypes import NUMPY_NAMES

EXAMPLE = re.compile(r"(?P<type>[^<>]+?)\s*(?:(?P<sign>[<>])\s*(?P<bound>[-\d.]+))?$")


@dataclass(frozen=True)
class Case:
    """An operator with its operands: types and arrays (None where left out), and its weights."""

    id: str
    op: Op
    types: tuple[TensorType | None, ...]
    inputs: tuple[np.ndarray | None, ...]
    weights: dict[str, np.ndarray]


@cache
def cases() -> tuple[Case, ...]:
    """Every example of every operator."""
    return tuple(case for name, cls in sorted(operators().items()) for case in _cases_of(name, cls))


def _cases_of(name: str, cls: type[Op]) -> Iterator[Case]:
    for number, (fields, operands) in enumerate(cls.examples):
        identity = f"{name}-{number}"
        rng = np.random.default_rng(crc32(identity.encode()))
        types = tuple(_type(text) for text in operands)
        op = cls(**fields).resolve(*types)
        inputs = tuple(draw(text, rng) for text in operands)
        weights = {
            spec.name: _weight(spec.name, tuple(map(int, spec.type.shape)), rng)
            for spec in op.weights(*types)
        }
        yield Case(identity, op, types, inputs, weights)


def _type(text: str | None) -> TensorType | None:
    return None if text is None else parse_type(_match(text)["type"])


def _match(text: str) -> re.Match[str]:
    match = EXAMPLE.match(text)
    assert match, f"cannot read the example operand {text!r}"
    return match


def draw(text: str | None, rng: np.random.Generator) -> np.ndarray | None:
    """The array for an example's operand such as ``"i64[2, 5] < 7"`` or ``"f32[3] > 0"``.

    Floats lie in (-2, 2) and at least 0.05 from every multiple of 1/4, where kinks like to be; integers
    in -4 to 9, or from 0 (with `>`: from above it) to the bound.
    """
    if text is None:
        return None
    match, kind = _match(text), _type(text)
    assert kind is not None
    shape, numpy_name = tuple(map(int, kind.shape)), NUMPY_NAMES[kind.dtype]
    bound = float(match["bound"]) if match["bound"] else None
    if kind.dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape), dtype=bool)
    if not kind.is_float:
        low, high = (-4, 10) if kind.dtype != "u8" else (0, 10)
        if bound is not None:
            low, high = (int(bound) + 1, int(bound) + 10) if match["sign"] == ">" else (0, int(bound))
        return np.asarray(rng.integers(low, high, shape), dtype=numpy_name)
    values = rng.integers(-8, 8, shape) * 0.25 + rng.uniform(0.05, 0.2, shape)
    if bound is not None:
        values = bound + np.abs(values) if match["sign"] == ">" else bound - np.abs(values)
    return np.asarray(values, dtype=numpy_name)


def _weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    values = rng.uniform(-1, 1, shape)
    # A running variance is positive.
    return np.asarray(np.abs(values) + 0.1 if "var" in name else values, dtype=np.float32)
