"""Evaluating expressions: compile-time values are computed, tensors become nodes of the graph."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate import arithmetic
from dlspec.elaborate.apply import apply, call_value, weight_of
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.lookup import lookup
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
from dlspec.ir.builder import Handle
from dlspec.ir.dims import Symbolic
from dlspec.syntax import tree
from dlspec.syntax.source import Span

STACKABLE = (Operator, Layer, BlockDefinition, BlockInstance)
"""What `* n` makes independent copies of."""
SEQUENCES = (list, tuple, range, str)
"""What is indexed by place: a string has characters."""
MAX_ITERATIONS = 100_000


def evaluate(expr: tree.Expr, frame: Frame) -> Any:
    """The value of an expression. Raises SpecError, or Poisoned when it reads what failed before."""
    return _RULES[type(expr)](expr, frame)


def evaluate_name(expr: tree.Name, frame: Frame) -> Any:
    value = named(expr, frame)
    frame.read(expr.id, value)
    return value


def named(expr: tree.Name, frame: Frame) -> Any:
    """What a name stands for, where it goes on as it is."""
    value = lookup(expr.id, expr.span, frame)
    if value is POISON:
        raise Poisoned
    return value


def _list(expr: tree.List, frame: Frame) -> Any:
    return [evaluate(item, frame) for item in expr.items]


def _comprehension(expr: tree.Comprehension, frame: Frame) -> Any:
    """`[item for x in items if condition]`: its names are its own."""
    outer = frame.scope
    items = []
    try:
        for value in iterable(expr.iterable, frame):
            frame.scope = Scope(outer)
            bind_targets(frame.scope, expr.targets, value, expr.iterable.span)
            if expr.condition is None or condition(expr.condition, frame):
                items.append(evaluate(expr.item, frame))
    finally:
        frame.scope = outer
    return items


def iterable(expr: tree.Expr, frame: Frame) -> list[Any] | tuple[Any, ...] | range:
    """What a `for` goes over: a list or range; a number counts up to it."""
    items = evaluate(expr, frame)
    if isinstance(items, int) and not isinstance(items, bool):
        frame.settle(items)
        items = range(items)
    if not isinstance(items, list | tuple | range):
        raise fail("DLS0415", f"`for` goes over a list or range, not {describe(items)}", expr.span,
                   "not a list or range", "write `for i in 0..n { ... }`")  # fmt: skip
    if len(items) > MAX_ITERATIONS:
        raise fail("DLS0603", f"a `for` makes at most {MAX_ITERATIONS:,} rounds, not {len(items):,}", expr.span,
                   "too many")  # fmt: skip
    return items


def bind_targets(scope: Scope, targets: list[tree.Name], item: Any, span: Span) -> None:
    """Give the names of a `for` their values in one round; several names take a list apart."""
    if len(targets) == 1:
        scope.define(targets[0].id, item, targets[0].span)
        return
    if not isinstance(item, list | tuple) or len(item) != len(targets):
        raise fail("DLS0413", f"`for` has {len(targets)} names, but an item here is {describe(item)}", span,
                   f"not {len(targets)} values each", "write each item as a list: `[[64, 1], [128, 2]]`")  # fmt: skip
    for target, part in zip(targets, item, strict=True):
        scope.define(target.id, part, target.span)


def _tuple(expr: tree.Tuple, frame: Frame) -> Any:
    return tuple(evaluate(item, frame) for item in expr.items)


def _dict(expr: tree.Dict, frame: Frame) -> Any:
    found: dict[str, Any] = {}
    for key, value in expr.items:
        if key.id in found:
            raise given_twice(
                f"the key `{key.id}`", key.span, next(k.span for k, _ in expr.items if k.id == key.id)
            )
        found[key.id] = evaluate(value, frame)
    return found


def _unary(expr: tree.Unary, frame: Frame) -> Any:
    value = evaluate(expr.operand, frame)
    if isinstance(value, Handle):
        return call_value("neg" if expr.op == "-" else "logical_not", [value], expr.span, frame)
    if expr.op == "not":
        if not isinstance(value, bool):
            raise fail("DLS0209", f"`not` needs true or false, not {describe(value)}", expr.operand.span,
                       "neither true nor false")  # fmt: skip
        return not value
    if isinstance(value, bool) or not isinstance(value, int | float | Symbolic):
        raise fail("DLS0209", f"`-` needs a number, not {describe(value)}", expr.operand.span, "not a number")
    return -value


def _binary(expr: tree.Binary, frame: Frame) -> Any:
    """Left-nested chains (`a + b + c + ...`) are walked without recursion."""
    chain: list[tree.Binary] = []
    first: tree.Expr = expr
    while isinstance(first, tree.Binary):
        chain.append(first)
        first = first.left
    value = evaluate(first, frame)
    for node in reversed(chain):
        value = _operate(node, value, frame)
    return value


def _operate(node: tree.Binary, left: Any, frame: Frame) -> Any:
    if node.op in ("and", "or") and isinstance(left, bool) and left == (node.op == "or"):
        return left
    right = evaluate(node.right, frame)
    if node.op in ("==", "!=") and (left is None or right is None):
        return (left is right) == (node.op == "==")  # a tensor is never none: was an input left out?
    if isinstance(left, Handle) or isinstance(right, Handle):
        return call_value(arithmetic.TENSOR_OPERATORS[node.op], [left, right], node.span, frame)
    if node.op == "*" and isinstance(left, STACKABLE):
        return _stack(left, right, node.span, node.right.span)
    result = arithmetic.binary(node.op, left, right, node.span)
    if not isinstance(result, int | Symbolic | list) or isinstance(result, bool):
        frame.settle(left, right)
    elif isinstance(result, list) and node.op == "*":
        frame.settle(right)
    return result


def _stack(element: Any, count: Any, span: Span, place: Span) -> Stack:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise fail("DLS0403", f"a stack needs a positive whole number of copies, not {describe(count)}", place,
                   "not a number of copies")  # fmt: skip
    return Stack(element, count, span)


def _range(expr: tree.Range, frame: Frame) -> Any:
    start, stop = evaluate(expr.start, frame), evaluate(expr.stop, frame)
    for value, part in ((start, expr.start), (stop, expr.stop)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise fail("DLS0209", f"a range needs whole numbers, not {describe(value)}", part.span,
                       "not a whole number")  # fmt: skip
    frame.settle(start, stop)
    return range(start, stop)


def condition(expr: tree.Expr, frame: Frame) -> bool:
    """The compile-time value of a condition."""
    value = evaluate(expr, frame)
    if isinstance(value, bool):
        return value
    tensor = isinstance(value, Handle)
    hint = "choose between tensors with `where(condition, a, b)`" if tensor else "compare it, as in `n > 0`"
    raise fail(
        "DLS0212", f"a condition must be true or false at compile time, but this is {describe(value)}",
        expr.span, "not known at compile time" if tensor else "neither true nor false", hint,
    )  # fmt: skip


def _conditional(expr: tree.Conditional, frame: Frame) -> Any:
    return evaluate(expr.yes if condition(expr.condition, frame) else expr.no, frame)


def _call(expr: tree.Call, frame: Frame) -> Any:
    from dlspec.elaborate.calls import evaluate_call

    return evaluate_call(expr, frame, [])


def _pipe(expr: tree.Pipe, frame: Frame) -> Any:
    """A chain of stages is nested on the left: walk it without recursion."""
    stages: list[tree.Pipe] = []
    first: tree.Expr = expr
    while isinstance(first, tree.Pipe):
        stages.append(first)
        first = first.value
    value = evaluate(first, frame)
    for pipe in reversed(stages):
        value = apply_stage(pipe.stage, value, frame)
    return value


def apply_stage(stage: tree.Expr, value: Any, frame: Frame) -> Any:
    """One stage of a pipe on what comes in: a tensor, or several in parentheses."""
    operands = list(value) if isinstance(value, tuple) else [value]
    match stage:
        case tree.Call():
            from dlspec.elaborate.calls import evaluate_call

            result = evaluate_call(stage, frame, operands)
            return result
        case tree.Repeat():
            from dlspec.elaborate.repeats import repeat_stage

            return repeat_stage(stage, operands, frame)
        case tree.Conditional():
            return apply_stage(stage.yes if condition(stage.condition, frame) else stage.no, value, frame)
    return apply(evaluate(stage, frame), operands, stage.span, frame)


def apply_pipeline(expr: tree.Expr, value: Any, frame: Frame) -> Any:
    """A pipeline whose first element is a stage too, as in `repeat 12 { LayerNorm -> Linear(64) }`."""
    stages: list[tree.Expr] = []
    while isinstance(expr, tree.Pipe):
        stages.append(expr.stage)
        expr = expr.value
    for stage in (expr, *reversed(stages)):
        value = apply_stage(stage, value, frame)
    return value


def _attribute(expr: tree.Attribute, frame: Frame) -> Any:
    value, name = _weight_path(expr, frame) or (evaluate(expr.value, frame), expr.name.id)
    if isinstance(value, Handle) and name in ("shape", "rank", "dtype"):
        kind = value.type
        return {"shape": list(kind.shape), "rank": kind.rank, "dtype": kind.dtype}[name]
    if isinstance(value, Layer | BlockInstance):
        return weight_of(value, name, expr.name.span, frame)
    if isinstance(value, dict):
        return _key(value, name, expr.name.span)
    if hasattr(value, "dls_attribute"):
        return value.dls_attribute(name, expr, frame)
    guess = closest(name, ["shape", "rank", "dtype"]) if isinstance(value, Handle) else None
    hint = f"did you mean `.{guess}`?" if guess else None
    raise fail(
        "DLS0213", f"{describe(value)} has no attribute `{name}`", expr.name.span, "unknown attribute", hint
    )


def _weight_path(expr: tree.Attribute, frame: Frame) -> tuple[BlockInstance, str] | None:
    """`encoder.linear.weight` as one path, from the block on; None where it is no such thing."""
    owner: tree.Expr = expr.value
    path = expr.name.id
    while isinstance(owner, tree.Attribute):
        path, owner = f"{owner.name.id}.{path}", owner.value
    value = evaluate(owner, frame) if isinstance(owner, tree.Name) else None
    return (value, path) if isinstance(value, BlockInstance) else None


def _key(value: dict[str, Any], name: str, span: Span) -> Any:
    if name not in value:
        guess = closest(name, list(value))
        hint = (
            f"did you mean `{guess}`?"
            if guess
            else f"its keys are {', '.join(f'`{k}`' for k in value) or 'none'}"
        )
        raise fail("DLS0213", f"the dictionary has no key `{name}`", span, "unknown key", hint)
    return value[name]


def _subscript(expr: tree.Subscript, frame: Frame) -> Any:
    value = evaluate(expr.value, frame)
    if isinstance(value, Handle):
        from dlspec.elaborate.slicing import slice_tensor

        return slice_tensor(value, expr, frame)
    if len(expr.indices) != 1:
        raise fail("DLS0214", f"{describe(value)} takes one index, not {len(expr.indices)}",
                   expr.indices[1].span, "one too many")  # fmt: skip
    index = expr.indices[0]
    if isinstance(index, tree.Slice) and isinstance(value, SEQUENCES):
        return value[slice(*(_bound(e, frame) for e in (index.start, index.stop, index.step)))]
    position = evaluate(index, frame)
    frame.settle(position)
    if isinstance(value, dict) and isinstance(position, str):
        return _key(value, position, index.span)
    whole = isinstance(position, int) and not isinstance(position, bool)
    if not isinstance(value, SEQUENCES):
        raise fail("DLS0214", f"{describe(value)} has no items to choose from", expr.value.span, "not a list")
    if not whole:
        raise fail("DLS0214", f"an index must be a whole number, not {describe(position)}", index.span,
                   "not a whole number")  # fmt: skip
    if not -len(value) <= position < len(value):
        hint = f"its items are 0 to {len(value) - 1}" if value else None
        raise fail(
            "DLS0319", f"index {position} lies outside {describe(value)}", index.span, "no such item", hint
        )
    return value[position]


def _bound(expr: tree.Expr | None, frame: Frame) -> int | None:
    """A bound of a slice of a list."""
    value = None if expr is None else evaluate(expr, frame)
    if expr is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise fail("DLS0214", f"an index must be a whole number, not {describe(value)}", expr.span,
                   "not a whole number")  # fmt: skip
    frame.settle(value)
    return value


def _misplaced(expr: Any, frame: Frame) -> Any:
    what = {tree.Slice: "a slice", tree.Ellipsis: "`...`"}.get(type(expr), "a type")
    raise fail("DLS0215", f"{what} cannot stand here", expr.span, "not a value")


def _repeat(expr: tree.Repeat, frame: Frame) -> Any:
    raise fail("DLS0215", "`repeat` is a stage of a pipe and needs a tensor", expr.span, "nothing is piped in",
               "write `x -> repeat n { ... }`")  # fmt: skip


_RULES: dict[type, Any] = {
    tree.Number: lambda e, f: e.value,
    tree.String: lambda e, f: e.value,
    tree.Literal: lambda e, f: e.value,
    tree.Name: evaluate_name,
    tree.List: _list,
    tree.Comprehension: _comprehension,
    tree.Tuple: _tuple,
    tree.Dict: _dict,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Range: _range,
    tree.Conditional: _conditional,
    tree.Call: _call,
    tree.Pipe: _pipe,
    tree.Attribute: _attribute,
    tree.Subscript: _subscript,
    tree.Repeat: _repeat,
    tree.Slice: _misplaced,
    tree.Ellipsis: _misplaced,
    tree.TensorType: _misplaced,
}
