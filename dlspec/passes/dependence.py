"""Which parameters of a printed model may be given another value: found by giving them one.

A constructor parameter is worth printing only if the class still is what the spec would have made. Parameters that
something was decided by when compiling are out. For the others the model is gone through once more with another value:
everything is inferred anew, in the model and all that it calls, and what the printed code would then
pass must be what the operators then need. Where that is not so, the parameter is printed as the number that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.ir.dims import Symbolic, substitute
from dlspec.ir.graph import Call, Graph, Node
from dlspec.ir.op import OpError
from dlspec.ir.traced import Traced, size_variables, translate, untraced, variables
from dlspec.ir.types import TensorType
from dlspec.passes.slots import Expression, collapse, instance_variables

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend, Row
    from dlspec.passes.outline import Plan

Values = Callable[[Node, "Row | None", tuple[Any, ...]], Mapping[str, Any]]
"""The arguments of a node by source, given the types of its operands."""


class Mismatch(Exception):
    """The printed code would not be right with another value."""


class Dependence:
    """Tries other values on plans; `plans` are those of all graphs that may be called, `values` the arguments."""

    def __init__(
        self, graphs: Mapping[str, Graph], plans: Mapping[str, Plan], values: Values, backend: Backend
    ) -> None:
        self.graphs, self.plans, self.values, self.backend = graphs, plans, values, backend
        self._results: dict[Any, tuple[TensorType, ...]] = {}

    def may_change(self, plan: Plan, key: str, variable: str) -> bool:
        """Whether a variable of an entry may have another value in the printed code."""
        graph = self.graphs[key]
        before = instance_variables(graph)
        accepted = False
        for other in _others(before[variable]):
            env = {**before, variable: other}
            try:
                inputs = tuple(translated(value.type, env) for value in graph.inputs)
                self._run(plan, key, env, inputs)
            except (OpError, ZeroDivisionError, ValueError, TypeError, IndexError):
                continue  # the spec would not accept it either
            except Mismatch:
                return False
            accepted = True
        return accepted

    def _run(
        self, plan: Plan, key: str, env: dict[str, Any], inputs: Sequence[TensorType]
    ) -> tuple[TensorType, ...]:
        """Go through a graph with other values of its variables; the types of its results."""
        wanted = (key, repr(sorted(env.items())), tuple(map(str, inputs)))
        if wanted not in self._results:
            self._results[wanted] = _Trial(self, plan, key, env, inputs).run()
        return self._results[wanted]

    def call(self, key: str, env: dict[str, Any], inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        return self._run(self.plans[key], key, env, inputs)


class _Trial:
    """One graph with other values of its variables."""

    def __init__(
        self, work: Dependence, plan: Plan, key: str, env: dict[str, Any], inputs: Sequence[TensorType]
    ) -> None:
        self.work, self.plan, self.env = work, plan, env
        self.graph = work.graphs[key]
        self.index = plan.keys.index(key)
        self.before = instance_variables(self.graph)
        self.types = {value.name: kind for value, kind in zip(self.graph.inputs, inputs, strict=True)}

    def run(self) -> tuple[TensorType, ...]:
        if any(self.env.get(name) != self.before.get(name) for name in self.graph.fixed):
            raise Mismatch
        for index, (node, row) in enumerate(zip(self.graph.nodes, self.plan.rows, strict=True)):
            types = tuple(self._type(name) if name else None for name in node.inputs)
            results = self._call(index, node, types) if row is None else self._op(index, node, row, types)
            self.types.update(zip(node.outputs, results, strict=True))
        from dlspec.passes.outline import raw_weights

        for index, weight in enumerate(raw_weights(self.graph)):
            shape = translate(tuple(weight.type.shape), self.env)
            self._printed(-1 - index, {"shape": weight.type.shape}, {"shape": shape})
        return tuple(self._type(output.value) for output in self.graph.outputs)

    def _type(self, name: str) -> TensorType:
        return self.types.get(name) or translated(self.graph.types[name], self.env)

    def _op(
        self, index: int, node: Node, row: Row, types: tuple[TensorType | None, ...]
    ) -> tuple[TensorType, ...]:
        update = {field: translate(value, self.env) for field, value in node.op}
        if any(self.env[n] != self.before[n] for n in variables(dict(node.op), lost=True) & self.env.keys()):
            raise Mismatch
        for field, source in node.sources.items():
            name = str(source)
            changed = name in self.env and self.env[name] != self.before[name]
            if changed and not isinstance(getattr(node.op, field), Traced):
                update[field] = self.env[name]
        op = node.op.model_copy(update=update)
        results = op.infer(*types)
        if self.work.backend.row(op, types) is not row:
            raise Mismatch
        before = self.work.values(node, row, self.graph.input_types(node))
        after = self.work.values(node.model_copy(update={"op": op}), row, types)
        self._printed(index, before, after)
        return results if isinstance(results, tuple) else (results,)

    def _call(self, index: int, node: Node, types: tuple[TensorType | None, ...]) -> tuple[TensorType, ...]:
        assert isinstance(node.op, Call)
        callee = self.work.graphs[node.op.graph]
        plan = self.work.plans[node.op.graph]
        env = dict(instance_variables(callee))
        for name, source in node.sources.items():
            if name in env:
                env[name] = self._value(source, env[name])
        operands = [kind for kind in types if kind is not None]
        declared = [value.type for value in callee.inputs]
        for name, (position, axis) in size_variables(declared, callee.params).items():
            env[name] = operands[position].shape[axis]
        number = plan.keys.index(node.op.graph)
        after = {p.name: env.get(p.variable, p.values[number]) for p in plan.params}
        before = self.work.values(node, None, self.graph.input_types(node))
        if "repeat" in before:
            after["repeat"] = translate(node.op.repeat, self.env)
        self._printed(index, before, after)
        if tuple(declared) != self.graph.input_types(node):  # a model, which has its own symbols
            self.work.call(node.op.graph, env, [translated(kind, env) for kind in declared])
            return tuple(self._type(name) for name in node.outputs)
        return self.work.call(node.op.graph, env, operands)

    def _value(self, source: Any, otherwise: Any) -> Any:
        """An argument of a call from what gave it."""
        if str(source) in self.env:
            return self.env[str(source)]
        value = substitute(source, {n: v for n, v in self.env.items() if isinstance(v, int)})
        return value if isinstance(value, int) else otherwise

    def _printed(self, index: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """What is printed for the arguments of a node must give what they are now."""
        for source, value in before.items():
            slot = self.plan.slots.get((index, source.partition("|")[0]), value)
            now = self._evaluated(slot)
            if collapse(untraced(now)) != collapse(untraced(after[source])):
                raise Mismatch

    def _evaluated(self, slot: Any) -> Any:
        if isinstance(slot, tuple):
            return tuple(map(self._evaluated, slot))
        if not isinstance(slot, Expression):
            return untraced(slot)
        name = str(slot.dim)
        if name in self.env:
            return self.env[name]
        for param in self.plan.params:
            if param.variable == name:
                return param.values[self.index]
        return substitute(slot.dim, {n: v for n, v in self.env.items() if isinstance(v, int)})


def translated(kind: TensorType, env: Mapping[str, Any]) -> TensorType:
    """A type with other values of the variables."""
    numbers = {name: value for name, value in env.items() if isinstance(value, int)}
    shape = translate(tuple(kind.shape), numbers)
    if any(
        isinstance(dim, Symbolic) and isinstance(old, int) for dim, old in zip(shape, kind.shape, strict=True)
    ):
        raise Mismatch
    return kind.with_shape(shape)


def _others(value: Any) -> Iterator[Any]:
    """Other values of the same kind, one of which the spec may accept."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        found = (value * 3, value * 2, value // 2, value // 3, value + 1, value - 1)
        yield from dict.fromkeys(other for other in found if other > 0 and other != value)
    elif isinstance(value, float):
        yield value / 2 or 0.5
    elif isinstance(value, (list, tuple)):
        yield tuple(3 * item if type(item) is int else item for item in value)
    else:
        yield f"{value}?"
