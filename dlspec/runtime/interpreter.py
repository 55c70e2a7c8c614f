"""The reference interpreter: any graph, executed with NumPy as the operators define it.

Every backend is tested against it. It is written to be right, not fast.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import Dim, Symbolic, substitute, symbols
from dlspec.ir.graph import Call, Graph, Node, Program, instance_paths
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import NUMPY_NAMES
from dlspec.ops.random import Draws

Array = Any


def run(
    program: Program,
    key: str,
    inputs: Mapping[str, Array],
    weights: Mapping[str, Array],
    training: bool = False,
    *,
    double: bool = False,
    seed: int = 0,
) -> dict[str, Array]:
    """The results of a graph of `program`, by output name.

    `inputs` go by input name, `weights` by full path. With `double` all f32 is f64: inputs and weights
    are converted, and so are constants. Random tensors come from `seed` and their place.
    """
    graph = program.graphs[key]
    missing = [value.name for value in graph.inputs if value.name not in inputs]
    if missing:
        raise KeyError(f"no value for the input {', '.join(missing)}")
    interpreter = _Interpreter(program, weights, training, double, seed)
    results = interpreter.graph(graph, [inputs[value.name] for value in graph.inputs], "", {})
    return {output.name: result for output, result in zip(graph.outputs, results, strict=True)}


def apply(
    op: Op,
    arrays: Sequence[Array | None],
    weights: Mapping[str, Array] | None = None,
    *,
    training: bool = False,
    double: bool = False,
    draws: Draws | None = None,
) -> tuple[Array, ...]:
    """One operator on arrays: by its `reference`, or else by its decomposition."""
    interpreter = _Interpreter(Program(), {}, training, double, 0)
    converted = [None if a is None else interpreter.convert(a) for a in arrays]
    local = {name: interpreter.convert(a) for name, a in (weights or {}).items()}
    return interpreter.apply(op.resolve(*map(_type_of, converted)), converted, local, draws or Draws())


class _Interpreter:
    def __init__(
        self, program: Program, weights: Mapping[str, Array], training: bool, double: bool, seed: int
    ) -> None:
        self.program, self.weights = program, weights
        self.training, self.double, self.seed = training, double, seed

    def convert(self, array: Array, dtype: str | None = None) -> Array:
        """An array in the element type that it has here: `dtype`'s, and f64 instead of f32 when double."""
        array = np.asarray(array)
        name = NUMPY_NAMES[dtype] if dtype else array.dtype.name
        return array.astype("float64" if self.double and name == "float32" else name, copy=False)

    def graph(
        self, graph: Graph, arguments: Sequence[Array], prefix: str, outer: Mapping[str, int]
    ) -> list[Array]:
        """The results of `graph`, whose weights lie under `prefix`."""
        values: dict[str, Array] = {}
        sizes = dict(outer)
        for value, array in zip(graph.inputs, arguments, strict=True):
            values[value.name] = self.convert(array, value.type.dtype)
            bind_sizes(value.name, value.type, values[value.name], sizes)
        for node in graph.nodes:
            arrays = [None if name is None else self._value(name, values, prefix) for name in node.inputs]
            results = self._node(graph, node, arrays, prefix, sizes)
            for name, result in zip(node.outputs, results, strict=True):
                values[name] = self.convert(result, graph.types[name].dtype)
        return [self._value(output.value, values, prefix) for output in graph.outputs]

    def _value(self, name: str, values: dict[str, Array], prefix: str) -> Array:
        if name not in values:
            path = prefix + name
            if path not in self.weights:
                raise KeyError(f"no weight {path}")
            values[name] = self.convert(self.weights[path])
        return values[name]

    def _node(
        self, graph: Graph, node: Node, arrays: list[Array], prefix: str, sizes: Mapping[str, int]
    ) -> Sequence[Array]:
        if isinstance(node.op, Call):
            return self._call(node, arrays, prefix, sizes)
        own = {local: self._value(path, {}, prefix) for local, path in node.weights.items()}
        stream = getattr(node.op, "stream", "") or f"{prefix}{node.name or node.outputs[0]}"
        return self.apply(bind(node.op, sizes, self.double), arrays, own, Draws(self.seed, stream))

    def _call(
        self, node: Node, arrays: list[Array], prefix: str, sizes: Mapping[str, int]
    ) -> Sequence[Array]:
        assert isinstance(node.op, Call)
        callee, carried = self.program.graphs[node.op.graph], node.op.carried
        results: Sequence[Array] = []
        for path in instance_paths(node):
            results = self.graph(callee, arrays, f"{prefix}{path}.", sizes)
            arrays = [*results[:carried], *arrays[carried:]]
        return results

    def apply(
        self, op: Op, arrays: Sequence[Array | None], weights: Mapping[str, Array], draws: Draws
    ) -> tuple[Array, ...]:
        if type(op).reference is Op.reference:
            types = tuple(map(_type_of, arrays))
            local = {name: _type_of(array) for name, array in weights.items()}
            graph, names = decomposition(op, types, local)
            given = dict(zip(names, [a for a in (*arrays, *weights.values()) if a is not None], strict=True))
            return tuple(self.graph(graph, [given[v.name] for v in graph.inputs], "", {}))
        wanted = {"training": self.training, "draws": draws}
        more = {name: wanted[name] for name in _asks_for(type(op))}
        result = op.reference(*arrays, **weights, **more)
        return tuple(result) if isinstance(result, tuple | list) else (result,)


def decomposition(
    op: Op, types: Sequence[TensorType | None], weights: Mapping[str, TensorType] | None = None
) -> tuple[Graph, list[str]]:
    """`op` in simpler operators as a graph, and its inputs' names: given operands, then weights."""
    weights = weights or {}
    key = (type(op), repr(op), tuple(map(str, types)), tuple((k, str(v)) for k, v in weights.items()))
    if key not in _DECOMPOSITIONS:
        _DECOMPOSITIONS[key] = _decompose(op, types, weights)
    return _DECOMPOSITIONS[key]


_DECOMPOSITIONS: dict[Any, tuple[Graph, list[str]]] = {}


def _decompose(
    op: Op, types: Sequence[TensorType | None], weights: Mapping[str, TensorType]
) -> tuple[Graph, list[str]]:
    b = Builder(op.spec_name())
    operands = [None if t is None else b.input(f"operand{i}", t) for i, t in enumerate(types)]
    local = {name: b.input(name, t) for name, t in weights.items()}
    results = op.resolve(*types).decompose(b, *operands, **local)
    if results is NotImplemented:
        raise NotImplementedError(f"`{op.spec_name()}` has neither a reference nor a decomposition")
    for i, result in enumerate([results] if isinstance(results, Handle) else results):
        b.output(f"result{i}", result)
    return b.build(), [value.name for value in b.inputs]


@cache
def _asks_for(cls: type[Op]) -> tuple[str, ...]:
    """Which of the interpreter's own facts a reference takes: `training`, `draws`."""
    parameters = inspect.signature(cls.reference).parameters
    return tuple(name for name in ("training", "draws") if name in parameters)


def bind(op: Op, sizes: Mapping[str, int], double: bool = False) -> Op:
    """`op` with the symbols in its fields replaced by sizes, and f64 for f32 when `double`."""
    update = {name: _bound(value, sizes) for name, value in op}
    if double and update.get("dtype") == "f32":
        update["dtype"] = "f64"
    changed = {name: value for name, value in update.items() if value is not getattr(op, name)}
    return op.model_copy(update=changed) if changed else op


def _bound(value: Any, sizes: Mapping[str, int]) -> Any:
    if isinstance(value, Symbolic):
        return substitute(value, sizes)
    if isinstance(value, tuple):
        items = tuple(_bound(item, sizes) for item in value)
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        return {k: _bound(v, sizes) for k, v in value.items()}
    return value


def bind_sizes(name: str, kind: TensorType, array: Array, sizes: dict[str, int]) -> None:
    """Learn what the symbols of an input's type stand for; the inner graph's meaning hides the outer one."""
    if len(kind.shape) != array.ndim:
        raise ValueError(f"`{name}` must be {kind}, but has shape {list(array.shape)}")
    for dim, size in zip(kind.shape, array.shape, strict=True):
        own = _solved(dim, size)
        if own is not None:
            sizes[own[0]] = own[1]
        elif not symbols(dim) - set(sizes) and substitute(dim, sizes) != size:
            raise ValueError(f"`{name}` must be {kind}, but has shape {list(array.shape)}")


def _solved(dim: Dim, size: int) -> tuple[str, int] | None:
    """The symbol and its value, where `dim` is a symbol by itself."""
    if isinstance(dim, Symbolic) and len(dim.terms) == 1:
        (monomial, coefficient), *_ = dim.terms
        if coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], str):
            return monomial[0], size
    return None


def _type_of(array: Array | None) -> TensorType:
    if array is None:
        return None  # type: ignore[return-value]
    names = {numpy: name for name, numpy in NUMPY_NAMES.items() if name != "bf16"}
    array = np.asarray(array)
    return tensor(names[array.dtype.name], array.shape)
