"""Building graphs by hand: used by the elaborator, by decompositions, and by Python users.

>>> from dlspec.ir.builder import Builder
>>> b = Builder("Net")
>>> x = b.input("x", "f32[N, 4]")
>>> b.output("y", b.relu(b.Linear(8)(x)))
>>> str(b.build().types["y"])
'f32[N, 8]'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlspec.ir.dims import Dim
from dlspec.ir.graph import Call, Graph, Location, Node, Output, Value, Weight
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType, parse_type, tensor

Scalar = int | float | bool


class Handle:
    """A value while its graph is being built; arithmetic on handles adds nodes."""

    __slots__ = ("builder", "name")

    def __init__(self, builder: Builder, name: str) -> None:
        self.builder, self.name = builder, name

    @property
    def type(self) -> TensorType:
        """The type of the value."""
        return self.builder.types[self.name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and other.builder is self.builder and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def _binary(self, name: str, other: Handle | Scalar, *, swap: bool = False) -> Handle:
        right = self.builder.constant(other, like=self) if isinstance(other, Scalar) else other
        operands = (right, self) if swap else (self, right)
        from dlspec.ops import operator

        # not getattr(builder, name): `add` is also a method of the builder
        return self.builder._function(operator(name))(*operands)

    def __add__(self, other: Handle | Scalar) -> Handle:
        return self._binary("add", other)

    def __radd__(self, other: Scalar) -> Handle:
        return self._binary("add", other, swap=True)

    def __sub__(self, other: Handle | Scalar) -> Handle:
        return self._binary("sub", other)

    def __rsub__(self, other: Scalar) -> Handle:
        return self._binary("sub", other, swap=True)

    def __mul__(self, other: Handle | Scalar) -> Handle:
        return self._binary("mul", other)

    def __rmul__(self, other: Scalar) -> Handle:
        return self._binary("mul", other, swap=True)

    def __truediv__(self, other: Handle | Scalar) -> Handle:
        return self._binary("div", other)

    def __rtruediv__(self, other: Scalar) -> Handle:
        return self._binary("div", other, swap=True)

    def __pow__(self, other: Handle | Scalar) -> Handle:
        return self._binary("pow", other)

    def __neg__(self) -> Handle:
        return self.builder.neg(self)

    def __matmul__(self, other: Handle) -> Handle:
        return self.builder.matmul(self, other)


def beside(operands: Sequence[Any]) -> Handle | None:
    """The tensor from which plain numbers take their element type: the first that is not bool, else the first."""
    handles = [operand for operand in operands if isinstance(operand, Handle)]
    return next((h for h in handles if h.type.dtype != "bool"), handles[0] if handles else None)


class Builder:
    """Collects nodes into a `Graph`. `builder.NAME` makes any operator by its name in a spec:
    ``b.softmax(x, axis=-1)`` applies a function, ``b.Linear(8)(x)`` an instance with weights.
    """

    def __init__(self, name: str, params: dict[str, Any] | None = None) -> None:
        self.name, self.params = name, params or {}
        self.inputs: list[Value] = []
        self.outputs: list[Output] = []
        self.weights: dict[str, Weight] = {}
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.known: dict[str, Any] = {}  # inputs that stand for constants -> their values
        self.condition = ""  # of the branch that is being built, see `Node`
        self._names: dict[str, str] = {}  # a value's name while building -> the name given by the user
        self._counts: dict[str, int] = {}

    def fresh(self, base: str) -> str:
        """A value name that is not taken: `base`, then ``base@2``, ``base@3``, ..."""
        count = self._counts.get(base, 0) + 1
        self._counts[base] = count
        return base if count == 1 else f"{base}@{count}"

    def input(self, name: str, type: TensorType | str) -> Handle:
        """Declare an input of the graph."""
        kind = parse_type(type) if isinstance(type, str) else type
        unique = self.fresh(name)
        self.inputs.append(Value.model_construct(name=unique, type=kind))
        self.types[unique] = kind
        return Handle(self, unique)

    def output(self, name: str, value: Handle) -> None:
        """Declare a result of the graph under a public name."""
        self.outputs.append(Output(name=name, value=value.name))
        self.label(value, name)

    def label(self, value: Handle, name: str) -> None:
        """Give an unnamed intermediate value the name that the user assigned it to."""
        if value.name.startswith("%") and value.name not in self._names:
            self._names[value.name] = self.fresh(name)

    def base_name(self, value: Handle) -> str:
        """What the user calls a value: without the number of a rebinding; empty where it has no name."""
        base = self._names.get(value.name, value.name).partition("@")[0]
        return "" if base.startswith("%") else base

    def weight(self, weight: Weight) -> Handle:
        """Declare a weight that the graph owns (again: the same one)."""
        self.weights.setdefault(weight.name, weight)
        self.types[weight.name] = weight.type
        return Handle(self, weight.name)

    def reference(self, path: str, type: TensorType) -> Handle:
        """A weight of a callee, used as a value (tied weights)."""
        self.types[path] = type
        return Handle(self, path)

    def constant(self, value: Any, like: Handle | None = None, dtype: str | None = None) -> Handle:
        """A scalar constant, of the element type of `like` unless that cannot hold it: numbers are never bool."""
        from dlspec.ops import operator

        kind = dtype or (like.type.dtype if like else "f32")
        if dtype is None and isinstance(value, float) and not tensor(kind).is_float:
            kind = "f32"
        if dtype is None and kind == "bool" and not isinstance(value, bool):
            kind = "i64"
        return self.add(operator("constant").model_validate({"value": value, "dtype": kind}))[0]

    def add(
        self,
        op: Op,
        inputs: Sequence[Handle | None] = (),
        *,
        name: str = "",
        sources: dict[str, Dim] | None = None,
        frozen: bool = False,
        location: Location | None = None,
    ) -> list[Handle]:
        """Apply an operator; `name` is the instance that owns its weights, `frozen` ones are not trained.

        Raises `OpError`.
        """
        types = tuple(None if handle is None else handle.type for handle in inputs)
        op = op.resolve(*types)
        inferred = op.infer(*types)
        results = inferred if isinstance(inferred, tuple) else (inferred,)
        weights = {}
        for spec in op.weights(*types):
            spec.check_init()
            path = f"{name}.{spec.name}" if name and not spec.bare else name or spec.name
            known = self.weights.get(path)
            if known is not None and known.type != spec.type:
                raise OpError(
                    f"`{name}` is shared, but here its {spec.name} would be {spec.type}, before {known.type}",
                    label="given another size than before",
                    hint="write the layer again for weights of its own",
                    code="DLS0404",
                )
            self.weight(
                Weight.model_construct(
                    name=path, type=spec.type, init=spec.init, trainable=spec.trainable and not frozen,
                    fan_in=spec.fan_in, fan_out=spec.fan_out,
                )
            )  # fmt: skip
            weights[spec.name] = path
        return self._append(op, inputs, results, name, weights, sources, location, frozen)

    def call(
        self,
        key: str,
        callee: Graph,
        inputs: Sequence[Handle],
        *,
        name: str,
        repeat: int = 1,
        carried: int = 1,
        results: Sequence[TensorType] | None = None,
        sources: dict[str, Dim] | None = None,
        location: Location | None = None,
    ) -> list[Handle]:
        """Use another graph of the program, whose key is `key`. `results` are the types for these inputs,
        where they are not the callee's own (its symbols stand for other sizes here).
        """
        op = Call(graph=key, repeat=repeat, carried=carried)
        types = callee.output_types() if results is None else results
        return self._append(op, inputs, types, name, {}, sources, location)

    def build(self, instances: dict[str, str] | None = None, **about: Any) -> Graph:
        """The finished graph. `instances` renames instances (and so their weights); `about` sets doc, location."""
        renamed = instances or {}

        def final(name: str) -> str:
            if name in self._names:
                return self._names[name]
            head, dot, rest = name.partition(".")
            return f"{renamed[head]}{dot}{rest}" if head in renamed else name

        nodes = tuple(
            node.model_copy(
                update={
                    "inputs": tuple(None if i is None else final(i) for i in node.inputs),
                    "outputs": tuple(final(o) for o in node.outputs),
                    "name": renamed.get(node.name, node.name),
                    "weights": {local: final(path) for local, path in node.weights.items()},
                }
            )
            for node in self.nodes
        )
        weights = tuple(w.model_copy(update={"name": final(w.name)}) for w in self.weights.values())
        return Graph.model_construct(
            name=self.name,
            params=self.params,
            inputs=tuple(self.inputs),
            outputs=tuple(Output(name=o.name, value=final(o.value)) for o in self.outputs),
            weights=weights,
            nodes=nodes,
            types={final(name): kind for name, kind in self.types.items()},
            **{"doc": "", "location": None, **about},
        )

    def _append(
        self,
        op: Op,
        inputs: Sequence[Handle | None],
        results: Sequence[TensorType],
        name: str,
        weights: dict[str, str],
        sources: dict[str, Dim] | None,
        location: Location | None,
        frozen: bool = False,
    ) -> list[Handle]:
        outputs = [f"%{len(self.types) + i}" for i in range(len(results))]
        self.types.update(zip(outputs, results, strict=True))
        self.nodes.append(
            Node.model_construct(
                op=op,
                inputs=tuple(None if h is None else h.name for h in inputs),
                outputs=tuple(outputs),
                name=name,
                weights=weights,
                sources=sources or {},
                frozen=frozen,
                condition=self.condition,
                location=location,
            )
        )
        return [Handle(self, output) for output in outputs]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        from dlspec.ops import operator

        if name.startswith("_"):
            raise AttributeError(name)
        cls = operator(name)
        return self._instance_maker(cls) if cls.stateful else self._function(cls)

    def _function(self, cls: type[Op]) -> Callable[..., Any]:
        def apply(*operands: Any, **fields: Any) -> Any:
            flat = [h for o in operands for h in (o if isinstance(o, list) else [o])]
            like = beside(flat)
            flat = [self.constant(h, like=like) if isinstance(h, Scalar) else h for h in flat]
            results = self.add(cls(**fields), flat)
            return results[0] if len(results) == 1 else results

        return apply

    def _instance_maker(self, cls: type[Op]) -> Callable[..., Any]:
        def make(*args: Any, name: str | None = None, **fields: Any) -> Callable[..., Any]:
            fields.update(zip(cls.model_fields, args, strict=False))
            instance = name or self.fresh(cls.__name__.lower())

            def apply(*operands: Handle | None) -> Any:
                results = self.add(cls(**fields), operands, name=instance)
                return results[0] if len(results) == 1 else results

            return apply

        return make
