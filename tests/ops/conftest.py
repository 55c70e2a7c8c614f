"""What tests of operators share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlspec.ir.builder import Builder
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, parse_type


class Drawn:
    """An operator resolved for operands of given types, with random operands and weights in float64."""

    def __init__(self, op: Op, *types: str) -> None:
        rng = np.random.default_rng(0)
        parsed = self.types = [parse_type(kind) for kind in types]
        self.op = op.resolve(*parsed)
        inferred = self.op.infer(*parsed)
        self.results: tuple[TensorType, ...] = inferred if isinstance(inferred, tuple) else (inferred,)
        self.operands = [rng.standard_normal(kind.shape) for kind in parsed]
        self.weights = {w.name: rng.uniform(0.1, 1, w.type.shape) for w in self.op.weights(*parsed)}
        self.facts = self.op.facts(*parsed)

    def reference(self, **more: Any) -> tuple[np.ndarray, ...]:
        """What the operator's reference gives, checked against the inferred shapes."""
        result = self.op.reference(*self.operands, **self.weights, **more)
        arrays = result if isinstance(result, tuple) else (result,)
        if not more:
            assert [a.shape for a in arrays] == [t.shape for t in self.results]
        return arrays

    def decomposed(self) -> tuple[np.ndarray, ...] | None:
        """What the decomposition gives, itself decomposed where it uses what has no reference."""
        b = Builder("net")
        inputs = [b.input(f"in{i}", kind) for i, kind in enumerate(self.types)]
        weights = {w.name: b.input(w.name, w.type) for w in self.op.weights(*self.types)}
        results = self.op.decompose(b, *inputs, **weights)
        if results is NotImplemented:
            return None
        handles = results if isinstance(results, (list, tuple)) else [results]
        assert [h.type for h in handles] == list(self.results)
        values = dict(zip((h.name for h in inputs), self.operands, strict=True)) | self.weights
        evaluate(b, values)
        return tuple(values[h.name] for h in handles)


def evaluate(b: Builder, values: dict[str, Any]) -> None:
    """Adds to `values` the result of every node that `b` holds, in float64."""
    for node in b.nodes:
        operands = [None if name is None else values[name] for name in node.inputs]
        try:
            result = node.op.reference(*operands)
        except NotImplementedError:
            inner = Builder("inner")
            handles = [inner.input(f"in{i}", b.types[name]) for i, name in enumerate(node.inputs) if name]
            made = node.op.decompose(inner, *handles)
            scope = {f"in{i}": operand for i, operand in enumerate(operands)}
            evaluate(inner, scope)
            result = [scope[h.name] for h in made] if isinstance(made, (list, tuple)) else scope[made.name]
        results = result if isinstance(result, (list, tuple)) else [result]
        for name, array in zip(node.outputs, results, strict=True):
            double = np.asarray(array)
            values[name] = double.astype(np.float64) if double.dtype == np.float32 else double


@pytest.fixture
def drawn() -> Callable[..., Drawn]:
    """Resolves an operator and draws what it is applied to."""
    return Drawn
