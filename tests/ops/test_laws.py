"""Laws that every operator keeps, on each of its examples."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.op import Op
from dlspec.ops import find_operator, operator, operators
from dlspec.ops.dtypes import NUMPY_NAMES
from dlspec.runtime.interpreter import apply, decomposition
from tests.laws import Case, cases

CASES = [pytest.param(case, id=case.id) for case in cases()]


@pytest.mark.parametrize("name", sorted(operators()))
def test_an_operator_is_documented_and_has_examples(name: str) -> None:
    cls = operators()[name]
    assert cls.__doc__
    assert cls.__doc__ != Op.__doc__
    assert cls.examples, "the laws need at least one example"


@pytest.mark.parametrize("name", sorted(operators()))
def test_an_operator_is_found_by_its_name_alone(name: str) -> None:
    assert find_operator(name) is operators()[name]


@pytest.mark.parametrize("name", sorted(operators()))
def test_an_operator_means_something(name: str) -> None:
    cls = operators()[name]
    assert cls.reference is not Op.reference or cls.decompose is not Op.decompose


@pytest.mark.parametrize("case", CASES)
def test_infer_agrees_with_the_reference(case: Case) -> None:
    results = apply(case.op, case.inputs, case.weights)
    inferred = case.op.infer(*case.types)
    expected = inferred if isinstance(inferred, tuple) else (inferred,)
    assert [result.shape for result in results] == [kind.shape for kind in expected]
    for result, kind in zip(results, expected, strict=True):
        # NumPy widens where dlspec does not (i64 / i64 is f32); the interpreter narrows again.
        assert np.asarray(result).dtype.kind == np.dtype(NUMPY_NAMES[kind.dtype]).kind


@pytest.mark.parametrize("case", CASES)
def test_resolving_twice_changes_nothing(case: Case) -> None:
    assert case.op.resolve(*case.types) == case.op
    assert case.op.infer(*case.types) == type(case.op).infer(case.op, *case.types)


@pytest.mark.parametrize("case", CASES)
def test_an_operator_survives_json(case: Case) -> None:
    fields = json.loads(case.op.model_dump_json())
    again = operator(fields.pop("op")).model_validate(fields)
    assert again == case.op


@pytest.mark.parametrize("case", CASES)
def test_the_cost_and_the_facts_are_known(case: Case) -> None:
    assert case.op.macs(*case.types) >= 0
    assert all(isinstance(key, str) for key in case.op.facts(*case.types))


def _decomposes(case: Case) -> bool:
    builder = Builder("probe")
    operands = [None if t is None else builder.input(f"x{i}", t) for i, t in enumerate(case.types)]
    weights = {s.name: builder.input(s.name, s.type) for s in case.op.weights(*case.types)}
    return case.op.decompose(builder, *operands, **weights) is not NotImplemented


COMPOSITE = [
    pytest.param(case, id=case.id)
    for case in cases()
    if type(case.op).reference is not Op.reference
    and type(case.op).decompose is not Op.decompose
    and not case.op.random
    and "training" not in inspect.signature(type(case.op).reference).parameters
    and _decomposes(case)
]


@pytest.mark.parametrize("case", COMPOSITE)
def test_the_decomposition_equals_the_reference(case: Case) -> None:
    expected = apply(case.op, case.inputs, case.weights, double=True)
    arrays = [None if a is None else _double(a) for a in case.inputs]
    weights = {name: _double(a) for name, a in case.weights.items()}
    types = tuple(None if a is None else _type(a) for a in arrays)
    graph, names = decomposition(case.op, types, {k: _type(v) for k, v in weights.items()})
    from dlspec.ir.graph import Program
    from dlspec.runtime.interpreter import run

    given = dict(zip(names, [a for a in (*arrays, *weights.values()) if a is not None], strict=True))
    results = run(Program(graphs={"g": graph}), "g", given, {}, double=True)
    assert len(results) == len(expected)
    for result, value in zip(results.values(), expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-6, atol=1e-9)
        assert np.shape(result) == np.shape(value)


def _double(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _type(array: np.ndarray):
    from dlspec.runtime.interpreter import _type_of

    return _type_of(array)


SYMBOLIC = [c for c in cases() if c.types and c.types[0] is not None and c.types[0].rank > 1]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in COMPOSITE and SYMBOLIC])
def test_a_symbolic_batch_axis_is_understood(case: Case) -> None:
    """With axis 0 symbolic wherever it is the batch, what decomposes does so, and to the inferred type."""
    from dlspec.ir.dims import substitute, symbol
    from dlspec.ir.op import OpError
    from dlspec.ir.types import tensor

    first = case.types[0]
    assert first is not None
    batch = first.shape[0]
    types = tuple(
        t if t is None or t.rank < 2 or t.shape[0] != batch else tensor(t.dtype, (symbol("N"), *t.shape[1:]))
        for t in case.types
    )
    b = Builder("symbolic")
    operands = [None if t is None else b.input(f"x{i}", t) for i, t in enumerate(types)]
    try:
        op = type(case.op)(**{k: v for k, v in case.op}).resolve(*types)
        inferred = op.infer(*types)
        weights = {s.name: b.input(s.name, s.type) for s in op.weights(*types)}
    except OpError:
        return  # this operator needs the axis to be known, and says so
    expected = inferred if isinstance(inferred, tuple) else (inferred,)
    concrete = case.op.infer(*case.types)
    for kind, plain in zip(expected, concrete if isinstance(concrete, tuple) else (concrete,), strict=True):
        assert [substitute(d, {"N": batch}) for d in kind.shape] == list(plain.shape)
    results = op.decompose(b, *operands, **weights)
    if results is NotImplemented:
        return
    for result, kind in zip([results] if isinstance(results, Handle) else results, expected, strict=True):
        assert result.type == kind
