"""`repeat`: one graph for the body, called many times in a row, each copy with its own weights."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.elaborate.apply import not_a_tensor
from dlspec.elaborate.blocks import state_of
from dlspec.elaborate.evaluate import apply_pipeline, evaluate
from dlspec.elaborate.frame import Frame, instance_base
from dlspec.elaborate.session import MAX_REPEAT, location
from dlspec.elaborate.values import (
    POISON,
    BlockDefinition,
    BlockInstance,
    Layer,
    Operator,
    Poisoned,
    Scope,
    Stack,
    describe,
)  # fmt: skip
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import Dim, symbol, symbols
from dlspec.ir.graph import PURE_BODY, Call, Graph
from dlspec.ir.traced import size_variables, variables
from dlspec.syntax import tree
from dlspec.syntax.source import Span

# Name of the graph that a repeat body becomes when it is more than one use of a block.
BODY_NAME = "Layer"


def count_of(expr: tree.Expr, frame: Frame) -> int:
    """The number of copies, checked."""
    count = evaluate(expr, frame)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise fail("DLS0403", f"`repeat` needs a positive whole number, not {describe(count)}", expr.span,
                   "not a number of copies")  # fmt: skip
    _limit(count, expr.span)
    return count


def _limit(count: int, span: Span) -> None:
    if count > MAX_REPEAT:
        raise fail(
            "DLS0603", f"a `repeat` makes at most {MAX_REPEAT:,} copies, not {count:,}", span, "too many"
        )


def repeat_stage(stage: tree.Repeat, operands: list[Any], frame: Frame) -> Any:
    """`x -> repeat n { ... }` on what is piped in."""
    count = count_of(stage.count, frame)
    handles = _handles(operands, stage.span, frame)
    body = stage.body
    sub = _inner(frame)
    if isinstance(body, tree.Body):
        return _stage_statements(body, handles, count, stage.span, sub, frame)
    inputs = [_input(sub, f"x{i or ''}", handle) for i, handle in enumerate(handles)]
    value = apply_pipeline(body, inputs[0] if len(inputs) == 1 else tuple(inputs), sub)
    results = list(value) if isinstance(value, tuple) else [value]
    names = ["output", *(f"output{i}" for i in range(2, len(results) + 1))]
    return _finish(sub, frame, handles, list(zip(names, results, strict=True)), count, stage.span)


def _stage_statements(
    body: tree.Body, handles: list[Handle], count: int, span: Span, sub: Frame, frame: Frame
) -> Any:
    from dlspec.elaborate.statements import Run

    run = Run(sub, [h.type for h in handles], span, False)
    run.statements(body.statements)
    if not run.fine:
        raise Poisoned
    if not run.results or run.actual:
        raise fail("DLS0408", "the body of `repeat` needs `input` and `output`, or must be a pipeline", body.span,
                   "gives nothing back",
                   "write `repeat n { A -> B }`, or `repeat n { input x  ...  output y }`")  # fmt: skip
    return _finish(sub, frame, handles, [(n, h) for n, h, _ in run.results], count, span)


def repeat_statement(run: Any, statement: tree.RepeatStatement) -> None:
    """`repeat n { x = ... }`: the names rebound in the body are carried from copy to copy."""
    from dlspec.elaborate.statements import Run, assigned

    frame = run.frame
    count = count_of(statement.count, frame)
    names = [n for s in statement.body.statements for n in assigned(s)]
    if any(frame.scope.names.get(n) is POISON for n in names):
        raise Poisoned
    carried = [n for n in dict.fromkeys(names) if isinstance(frame.scope.names.get(n), Handle)]  # fmt: skip
    if not carried:
        raise fail("DLS0417", "this `repeat` changes no tensor that is defined before it", statement.span,
                   "every copy does the same",
                   "assign to a name from before: `x = x -> ...`")  # fmt: skip
    handles = [frame.localize(frame.scope.names[n]) for n in carried]
    sub = _inner(frame)
    for name, handle in zip(carried, handles, strict=True):
        sub.scope.define(name, _input(sub, name, handle))
    inner = Run(sub, None, None, False)
    inner.statements(statement.body.statements)
    if not inner.fine:
        raise Poisoned
    pairs = [(name, sub.scope.names[name]) for name in carried]
    results = _finish(sub, frame, handles, pairs, count, statement.span)
    for name, handle in zip(carried, results if isinstance(results, tuple) else (results,), strict=True):
        frame.builder.label(handle, name)
        frame.scope.define(name, handle, statement.span)


def apply_stack(stack: Stack, operands: list[Any], span: Span, frame: Frame) -> Any:
    """`Block(...) * n` applied: a block repeats as one graph, a layer is written out."""
    _limit(stack.count, stack.span)
    from dlspec.elaborate.apply import apply

    match stack.element:
        case BlockDefinition() | BlockInstance():
            sub = _inner(frame)
            handles = _handles(operands, span, frame)
            inputs = [_input(sub, f"x{i or ''}", h) for i, h in enumerate(handles)]
            value = apply(stack.element, inputs, span, sub)
            results = list(value) if isinstance(value, tuple) else [value]
            pairs = [(f"output{i or ''}", r) for i, r in enumerate(results)]
            return _finish(sub, frame, handles, pairs, stack.count, stack.span)
        case Layer() | Operator():
            return _written_out(stack, operands, span, frame)
    raise fail("DLS0402", f"{describe(stack.element)} cannot be stacked", stack.span, "not a layer or block")


def _written_out(stack: Stack, operands: list[Any], span: Span, frame: Frame) -> Any:
    from dlspec.elaborate.apply import apply

    value: Any = operands[0] if len(operands) == 1 else tuple(operands)
    frame.settle(stack.count)
    for _ in range(stack.count):
        element = stack.element
        if isinstance(element, Layer):
            element = Layer(element.cls, element.fields, element.sources, element.span)
        before = value
        value = apply(element, [value], span, frame)
        _same_type(before, value, stack.span)
    return value


def _inner(frame: Frame) -> Frame:
    sub = Frame(frame.session, Scope(frame.scope), Builder(BODY_NAME), outer=frame)
    sub.params, sub.symbols = dict(frame.params), dict(frame.symbols)
    sub.variables, sub.fixed = frame.variables, frame.fixed
    return sub


def _input(sub: Frame, name: str, handle: Handle) -> Handle:
    assert sub.builder is not None
    assert sub.outer is not None
    inside = sub.builder.input(name, handle.type)
    sub.inherit_origin(inside, sub.outer, handle)
    return inside


def _handles(operands: list[Any], span: Span, frame: Frame) -> list[Handle]:
    for operand in operands:
        if not isinstance(operand, Handle):
            raise not_a_tensor("repeat", operand, span)
    return [frame.localize(o) for o in operands]


def _finish(
    sub: Frame, frame: Frame, handles: list[Handle], results: list[tuple[str, Any]], count: int, span: Span
) -> Any:
    """Close the body's graph and call it `count` times."""
    assert sub.builder is not None
    assert frame.builder is not None
    if len(results) != len(handles):
        takes, gives = _tensors(len(handles)), _tensors(len(results))
        raise fail("DLS0418", f"the body of `repeat` takes {takes} and gives {gives}", span, "cannot be chained",
                   "a repeated body must give what it takes, for the next copy to take it")  # fmt: skip
    for (name, result), handle in zip(results, handles, strict=True):
        _same_type(handle, result, span)
        sub.builder.output(name, sub.localize(result))
    extra = [outer for outer, _ in sub.captured.values()]
    inputs = [*handles, *(frame.localize(h) for h in extra)]
    graph = sub.builder.build(sub.final_names(), location=location(span))
    key, base, sources = _body_key(graph, frame)
    plural = base if count == 1 else f"{base.removesuffix('s')}s"
    name = frame.name_instance(Layer(Call, {}, {}, span), plural, span)
    outputs = frame.builder.call(
        key, frame.session.graphs[key], inputs, name=name, repeat=count, carried=len(handles),
        results=[h.type for h in handles], sources=sources, location=location(span),
    )  # fmt: skip
    frame.session.count_nodes(1, span)
    for output in outputs:
        frame.origins[output.name] = span
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _outer_variables(graph: Graph, frame: Frame) -> dict[str, Any]:
    """The variables of the block around that a body uses: its parameters. It sees sizes of its inputs itself."""
    used = {name for node in graph.nodes for dim in node.sources.values() for name in symbols(dim)}
    for node in graph.nodes:
        used |= variables(dict(node.op))
    used |= variables([list(kind.shape) for kind in graph.types.values()])
    seen = size_variables([value.type for value in graph.inputs], frame.params)
    return {name: value for name, value in frame.variables.items() if name in used and name not in seen}


def _body_key(graph: Graph, frame: Frame) -> tuple[str, str, dict[str, Dim]]:
    """The callee: the block itself where the body is nothing but its use, else the body's own graph. Also what
    a block is called in names, and what gave its arguments.
    """
    if len(graph.nodes) == 1:
        node = graph.nodes[0]
        same_inputs = node.inputs == tuple(v.name for v in graph.inputs)
        same_outputs = node.outputs == tuple(o.value for o in graph.outputs)
        if isinstance(node.op, Call) and node.op.repeat == 1 and same_inputs and same_outputs:
            return node.op.graph, instance_base(frame.session.graphs[node.op.graph].name), node.sources
    params = _outer_variables(graph, frame)
    graph = graph.model_copy(update={"params": params})
    sources: dict[str, Dim] = {name: symbol(name) for name in params}
    if not state_of(graph, frame.session):
        graph = graph.model_copy(update={"name": PURE_BODY, "function": True})
        return frame.session.add_graph(graph), "step", sources
    return frame.session.add_graph(graph), instance_base(BODY_NAME), sources


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count} tensors"


def _same_type(before: Any, after: Any, span: Span) -> None:
    if not isinstance(after, Handle):
        raise fail(
            "DLS0414", f"a repeated body must give a tensor, not {describe(after)}", span, "not a tensor"
        )
    if before.type != after.type:
        raise SpecError(
            [
                Diagnostic(
                    "DLS0419", f"the repeated body turns {before.type} into {after.type}", span,
                    "every copy must give what it takes",
                    hint="put the first, different layer before the `repeat`",
                )
            ]
        )  # fmt: skip
