"""Using blocks: each place is an instance; equal uses share one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.elaborate.apply import not_a_tensor
from dlspec.elaborate.arguments import given_twice, too_many, unknown_argument
from dlspec.elaborate.frame import Frame, instance_base
from dlspec.elaborate.parameters import check_argument, complete_arguments
from dlspec.elaborate.session import MAX_DEPTH, Session, location
from dlspec.elaborate.values import (
    POISON,
    BlockDefinition,
    BlockInstance,
    Operator,
    Partial,
    Poisoned,
    Scope,
    describe,
)  # fmt: skip
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import Dim, Symbolic, substitute
from dlspec.ir.graph import Call, Graph
from dlspec.ir.op import Types
from dlspec.ir.traced import Traced, bindings, handed_out, untraced
from dlspec.ir.types import TensorType
from dlspec.syntax import tree
from dlspec.syntax.source import Span

if TYPE_CHECKING:
    from dlspec.elaborate.calls import Given


def make_instance(definition: BlockDefinition, given: list[Any], span: Span, frame: Frame) -> BlockInstance:
    """An instance of a block from the arguments as written (`calls.Given`)."""
    names = [param.name.id for param in definition.block.params]
    arguments: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    sources: dict[str, Dim] = {}
    position = 0
    for argument in given:
        if argument.name is None:
            if position >= len(names):
                raise too_many(definition.name, argument.span, names)
            name, position = names[position], position + 1
        else:
            name = argument.name.id
            if name not in names:
                raise unknown_argument(definition.name, argument.name, [*names, *input_names(definition)])
        if name in arguments:
            raise given_twice(f"argument `{name}`", argument.whole, spans[name])
        check_argument(definition.name, name, argument.value, argument.span)
        arguments[name], spans[name] = argument.value, argument.whole
        if argument.source is not None:
            sources[name] = argument.source
    return BlockInstance(definition, arguments, sources, span, spans=spans)


def use_block(
    instance: BlockInstance,
    operands: list[Any],
    span: Span,
    frame: Frame,
    written: Sequence[Span | None] = (),
    named: Sequence[Given] = (),
) -> Any:
    """The instance applied to tensors: its graph is elaborated (once for equal uses) and called.

    `named` are those that are given by the name of an input.
    """
    builder, session = frame.builder, frame.session
    if builder is None:
        raise fail(
            "DLS0216", "a block can only be used inside another block, model or step", span, "no tensors here"
        )
    values, places = place_inputs(instance.definition, operands, span, written, named)
    given = _operands(instance.definition, values, places, span, frame)
    handles = [handle for handle in given if handle is not None]
    key = resolve_graph(instance, [None if h is None else h.type for h in given], span, session)
    graph = session.graphs[key]
    name = frame.name_instance(instance, instance_base(instance.definition.name), span)
    _check_sharing(instance, key, span, frame)
    types = [h.type for h in handles]
    bound = bindings([v.type for v in graph.inputs], graph.params, instance.complete, types)
    results = [t.with_shape([handed_out(dim, bound) for dim in t.shape]) for t in graph.output_types()]
    if instance.definition.block.is_model:
        origins = [frame.origins.get(h.name) for h in handles]
        results = call_types(instance.definition, graph, types, span, origins)
    session.count_nodes(1, span)
    frame.settle(*(_hidden(value) for value in instance.complete.values()))
    outputs = builder.call(
        key, graph, handles, name=name, results=results, sources=_sources(instance), location=location(span)
    )
    for output in outputs:
        frame.origins[output.name] = span
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _hidden(value: Any) -> Any:
    """The part of an argument of which a block does not say where it came from: all in lists, and in functions."""
    if isinstance(value, Traced):
        return None
    return value.fields if isinstance(value, Partial) else value


def _sources(instance: BlockInstance) -> dict[str, Dim]:
    """What gave the arguments, those too that are defaults in terms of others."""
    traced = {name: value.expr for name, value in instance.complete.items() if isinstance(value, Traced)}
    return {n: dim for n, dim in {**instance.sources, **traced}.items() if isinstance(dim, Symbolic)}


def place_inputs(
    definition: BlockDefinition,
    operands: list[Any],
    span: Span,
    written: Sequence[Span | None],
    named: Sequence[Given],
) -> tuple[list[Any], list[Span | None]]:
    """What a block is given, input by input: by position, by name, or None for what may be left out."""
    inputs = inputs_of(definition)
    names = [statement.name.id for statement in inputs]
    values = [*operands]
    places = [*written, *(None,) * (len(operands) - len(written))]
    by_name: dict[str, Given] = {}
    for argument in named:
        assert argument.name is not None
        name = argument.name.id
        if name not in names:
            raise unknown_argument(definition.name, argument.name, names)
        if name in by_name or names.index(name) < len(operands):
            first = by_name[name].whole if name in by_name else places[names.index(name)]
            raise given_twice(f"input `{name}`", argument.whole, first or span)
        by_name[name] = argument
    for statement in inputs[len(operands) :]:
        given = by_name.get(statement.name.id)
        if given is None and statement.default is None:
            tensors = sum(isinstance(argument.value, Handle) for argument in named)
            raise _wrong_count(definition, len(operands) + tensors, span)
        values.append(None if given is None else given.value)
        places.append(None if given is None else given.span)
    if len(values) > len(inputs):
        raise _wrong_count(definition, len(values), span)
    return values, places


def _wrong_count(definition: BlockDefinition, count: int, span: Span) -> SpecError:
    inputs = inputs_of(definition)
    listing = ", ".join(f"`{statement.name.id}`" for statement in inputs) or "none"
    needed = sum(statement.default is None for statement in inputs)
    takes = f"{len(inputs)} input{'' if len(inputs) == 1 else 's'}"
    message = (
        f"`{definition.name}` takes {takes if needed == len(inputs) else f'{needed} to {takes}'} ({listing})"
    )
    return SpecError(
        [
            Diagnostic(
                "DLS0208", f"{message}, but is given {count}", span, "wrong number of tensors",
                [Note(definition.block.name.span, "declared here")],
                hint="pipe several tensors as `(a, b) -> Block` or call `block(a, b)`",
            )
        ]
    )  # fmt: skip


def _operands(
    definition: BlockDefinition, operands: list[Any], places: list[Span | None], span: Span, frame: Frame
) -> list[Handle | None]:
    found: list[Handle | None] = []
    for operand, place, statement in zip(operands, places, inputs_of(definition), strict=True):
        left_out = operand is None and statement.default is not None
        if not left_out and not isinstance(operand, Handle):
            raise not_a_tensor(definition.name, operand, place or span)
        found.append(None if operand is None else frame.localize(operand))
    return found


def inputs_of(definition: BlockDefinition) -> list[tree.Input]:
    """A block's `input` statements, in order."""
    return [s for s in definition.block.body.statements if isinstance(s, tree.Input)]


def input_names(definition: BlockDefinition) -> list[str]:
    """The names of a block's inputs, in order."""
    return [statement.name.id for statement in inputs_of(definition)]


def resolve_graph(
    instance: BlockInstance, types: Sequence[Types] | None, span: Span, session: Session
) -> str:
    """The key of the instance's graph for inputs of these types (None: left out); a model has its own."""
    definition = instance.definition
    if definition.block.is_model:
        types = None
    arguments = instance.complete = complete_arguments(instance, span, session)
    identity = (id(definition.block), freeze(arguments), None if types is None else tuple(map(str, types)))
    known = session.memo.get(identity)
    if known is None:
        known = session.memo[identity] = _elaborate(definition, arguments, types, span, session) or ""
    if not known:
        raise Poisoned
    return known


def _elaborate(
    definition: BlockDefinition,
    arguments: dict[str, Any],
    types: Sequence[Types] | None,
    span: Span,
    session: Session,
) -> str | None:
    """Elaborate a block's body; None when it has errors, which are reported."""
    from dlspec.elaborate.statements import run_body

    block = definition.block
    if any(active is block for active, _ in session.active):
        raise fail("DLS0401", f"`{block.name.id}` uses itself; blocks cannot be recursive", span, "closes the circle",
                   "use `repeat` or `for` with a bound known at compile time")  # fmt: skip
    if len(session.active) >= MAX_DEPTH:
        raise fail("DLS0603", f"blocks use each other more than {MAX_DEPTH} deep", span, "one too deep",
                   "build the net of fewer levels, or use `repeat`")  # fmt: skip
    builder = Builder(block.name.id, {k: untraced(plain(v)) for k, v in arguments.items()})
    scope = Scope(definition.scope, {}, {p.name.id: p.name.span for p in block.params})
    frame = Frame(session, scope, builder)
    scope.names.update(frame.enter({k: _left_behind(v) for k, v in arguments.items()}))
    session.active.append((block, span))
    try:
        fine = run_body(block, frame, types, span)
    finally:
        session.active.pop()
    if not fine:
        return None
    is_function = not block.is_model and is_function_name(block.name.id)
    graph = builder.build(
        frame.final_names(), doc=block.doc, defaults=_defaults(block), function=is_function,
        fixed=tuple(sorted(frame.fixed)), location=location(block.name.span),
    )  # fmt: skip
    state = state_of(graph, session) if is_function else ""
    if state:
        raise fail("DLS0420", f"`{block.name.id}` begins with a small letter, so it is a function, but it has {state}",
                   block.name.span, "has state of its own",
                   "begin its name with a capital letter")  # fmt: skip
    return session.add_graph(graph)


def is_function_name(name: str) -> bool:
    """Whether a block of this name is a pure function, as `relu` is one and `Conv2d` is not."""
    return name.lstrip("_")[:1].islower()


def state_of(graph: Graph, session: Session) -> str:
    """What of a graph is no pure function, in the user's words; empty where all is."""
    if graph.weights:
        return f"the weight `{graph.weights[0].name}`"
    for node in graph.nodes:
        callee = session.graphs[node.op.graph] if isinstance(node.op, Call) else None
        if callee is not None and not callee.function:
            return f"the block `{callee.name}` in it"
        if node.op.random:
            return f"`{node.op.spec_name()}` in it, which is random"
    return ""


def _left_behind(value: Any) -> Any:
    """An argument in the block that it is given to: functions, too, forget what gave their arguments."""
    return replace(value, fields=untraced(value.fields), sources={}) if isinstance(value, Partial) else value


def _defaults(block: Any) -> dict[str, Any]:
    """The parameters whose default is written as a plain value; printers keep it."""
    plainly = (tree.Number, tree.String, tree.Literal)
    return {p.name.id: p.default.value for p in block.params if isinstance(p.default, plainly)}


def _check_sharing(instance: BlockInstance, key: str, span: Span, frame: Frame) -> None:
    """A named instance that is used again must have the same weights."""
    if instance.key and instance.key != key:
        first, second = (weight_types(frame.session, k) for k in (instance.key, key))
        if first != second:
            raise fail("DLS0404", f"{describe(instance)} is shared, but its weights would differ here", span,
                       "given another size than before", "write the block again for weights of its own")  # fmt: skip
    instance.key = instance.key or key


def weight_types(session: Session, key: str) -> dict[str, TensorType]:
    """The types of all weights of a graph and of what it calls, by path."""
    from dlspec.ir.graph import Program

    program = Program.model_construct(graphs=session.graphs)
    return {weight.name: weight.type for weight in program.all_weights(key)}


def call_types(
    definition: BlockDefinition,
    graph: Graph,
    types: list[TensorType],
    span: Span,
    origins: Sequence[Span | None],
) -> list[TensorType]:
    """The result types of a model for inputs of these types: its symbols are bound to what they meet."""
    bound: dict[str, int | Symbolic] = {}
    for declared, actual, origin in zip(graph.inputs, types, origins, strict=True):
        problem = _misfit(declared.type, actual, bound)
        if problem:
            message = f"`{definition.name}` takes {declared.name}: {declared.type}, but is given {actual}"
            notes = [Note(origin, f"{actual} comes from here")] if origin is not None else []
            notes += [
                Note(s.span, "declared here") for s in inputs_of(definition) if s.name.id == declared.name
            ]
            raise SpecError([Diagnostic("DLS0317", message, span, problem, notes)])
    return [t.with_shape([substitute(untraced(d), bound) for d in t.shape]) for t in graph.output_types()]


def _misfit(declared: TensorType, actual: TensorType, bound: dict[str, Any]) -> str:
    """What keeps a tensor from being a model's input; "" where it fits."""
    if declared.rank != actual.rank:
        return f"needs {declared.rank} axes, not {actual.rank}"
    for axis, (wanted, given) in enumerate(zip(declared.shape, actual.shape, strict=True)):
        if not _unify(wanted, given, bound):
            return f"needs {substitute(wanted, bound)} on axis {axis}, not {given}"
    return "" if declared.dtype == actual.dtype else f"needs {declared.dtype}, not {actual.dtype}"


def _unify(declared: Any, actual: Any, bound: dict[str, Any]) -> bool:
    if isinstance(declared, Symbolic):
        name = str(declared)
        if name.isidentifier() and name not in bound:
            bound[name] = actual
            return True
        return bool(substitute(declared, bound) == actual)
    return bool(declared == actual)


def freeze(value: Any) -> Any:
    """A hashable stand-in for a compile-time value; equal ones mean the same."""
    match value:
        case dict():
            return tuple((k, freeze(v)) for k, v in value.items())
        case list() | tuple():
            return tuple(map(freeze, value))
        case Operator():
            return ("operator", value.cls.spec_name())
        case Partial():
            return ("partial", value.cls.spec_name(), freeze(value.fields))
        case BlockDefinition():
            return ("block", id(value.block))
        case Traced():
            return freeze(int(value))
    return (type(value).__name__, value)


def plain(value: Any) -> Any:
    """A compile-time value as the IR keeps it: JSON-like."""
    match value:
        case list() | tuple() | range():
            return [plain(v) for v in value]
        case dict():
            return {k: plain(v) for k, v in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _ if value is POISON:
            raise Poisoned
    return str(value) if isinstance(value, Symbolic) else describe(value).split("`")[1]
