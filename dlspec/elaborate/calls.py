"""Calls: `Conv2d(32, 3)` makes a layer, `softmax(x, axis=1)` applies a function, `enc(x)` an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.arguments import (
    Bound,
    construct,
    given_twice,
    init_from_syntax,
    too_many,
    unknown_argument,
)  # fmt: skip
from dlspec.elaborate.arithmetic import FUNCTIONS, LIST_FUNCTIONS, REMEMBERING, ROUNDING
from dlspec.elaborate.frame import Frame, is_whole
from dlspec.elaborate.gradients import GRAD, gradient
from dlspec.elaborate.values import (
    BlockDefinition,
    BlockInstance,
    Layer,
    Operator,
    Partial,
    Stack,
    describe,
)  # fmt: skip
from dlspec.ir.builder import Handle
from dlspec.ir.dims import Dim
from dlspec.ir.op import Init, Op
from dlspec.ir.traced import untraced
from dlspec.syntax import tree
from dlspec.syntax.source import Span


@dataclass(slots=True)
class Given:
    """An argument as written, evaluated; `source` is what gave it (`Frame.source`)."""

    name: tree.Name | None
    value: Any
    span: Span
    source: Dim | None

    @property
    def whole(self) -> Span:
        """The place of the argument with its name."""
        return self.span if self.name is None else self.name.span.to(self.span)


def evaluate_call(expr: tree.Call, frame: Frame, piped: list[Any]) -> Any:
    """The value of a call; `piped` are the tensors that a pipe feeds to it."""
    from dlspec.elaborate.apply import apply
    from dlspec.elaborate.evaluate import evaluate

    name = expr.function.id if isinstance(expr.function, tree.Name) else ""
    given = None
    if name in FUNCTIONS and not piped and not _in_scope(name, frame):
        given = _given(expr, frame)
        computed = _compile_time(name, given, expr.span, frame)
        if computed is not _NOT_NUMBERS:
            return computed
    if name == FROZEN and not _in_scope(name, frame):
        frozen = _frozen(expr, frame)
        return apply(frozen, piped, expr.span, frame) if piped else frozen
    if name == GRAD and not _in_scope(name, frame):
        return gradient(expr, [*piped, *(g.value for g in _given(expr, frame))], frame)
    callee = evaluate(expr.function, frame)
    match callee:
        case Operator(cls) if cls.stateful:
            layer = _make_layer(cls, expr, frame)
            return apply(layer, piped, expr.span, frame) if piped or not cls.operands else layer
        case Operator(cls):
            return _function(
                cls, _given(expr, frame, cls) if given is None else given, expr.span, frame, piped
            )
        case BlockDefinition():
            return _block(callee, expr, frame, piped)
        case BlockInstance():
            from dlspec.elaborate.blocks import use_block

            given = _given(expr, frame)
            fed, named = [g for g in given if g.name is None], [g for g in given if g.name is not None]
            operands = [*piped, *(g.value for g in fed)]
            return use_block(callee, operands, expr.span, frame, _written(piped, fed), named)
        case Layer() | Partial() | Stack():
            given = _given(expr, frame)
            operands = [*piped, *(g.value for g in given)]
            return apply(callee, operands, expr.span, frame, _written(piped, given))
    if hasattr(callee, "dls_call"):
        return callee.dls_call(expr, frame, piped)
    raise fail(
        "DLS0402", f"{describe(callee)} cannot be called", expr.function.span, "not a layer or function"
    )


FROZEN = "frozen"


def _frozen(expr: tree.Call, frame: Frame) -> Layer:
    """`frozen(Embedding(100, 8))`: a layer whose weights are kept as they are."""
    given = _given(expr, frame)
    if len(given) != 1 or given[0].name is not None:
        raise fail(
            "DLS0206", "`frozen` takes one layer", expr.span, "one layer", "write `frozen(Linear(10))`"
        )
    value, span = given[0].value, given[0].span
    layer = Layer(value.cls, {}, {}, span) if isinstance(value, Operator) and value.cls.stateful else value
    if isinstance(layer, BlockDefinition | BlockInstance) or (
        isinstance(layer, Layer) and layer.cls.spec_name() == "BatchNorm"
    ):
        raise fail("DLS0509", f"`frozen` of {describe(layer)} is not supported by this version of dlspec", span,
                   "not supported yet", "freeze the layers in it, one by one")  # fmt: skip
    if not isinstance(layer, Layer) or layer.owner is not None:
        raise fail(
            "DLS0402", f"`frozen` takes a layer, not {describe(layer)}", span, "not a layer that is made here"
        )
    layer.frozen = True
    return layer


def _written(piped: list[Any], given: list[Given]) -> list[Span | None]:
    """Where the operands of a call are written: those that are piped in, nowhere."""
    return [*(None for _ in piped), *(g.span for g in given)]


_NOT_NUMBERS = object()


def _in_scope(name: str, frame: Frame) -> bool:
    try:
        frame.scope.find(name)
    except KeyError:
        return False
    return True


def _compile_time(name: str, given: list[Given], span: Span, frame: Frame) -> Any:
    values = [g.value for g in given]
    numbers = all(isinstance(v, int | float | list | tuple | range | dict) for v in values)
    nested = any(isinstance(i, Handle) for v in values if isinstance(v, list | tuple) for i in v)
    if not values or not numbers or any(g.name for g in given) or (nested and name not in LIST_FUNCTIONS):
        return _NOT_NUMBERS
    if name in ROUNDING and len(values) == 1 and is_whole(values[0]):
        return values[0]
    try:
        computed = FUNCTIONS[name](*values)
        if name not in REMEMBERING:
            frame.settle(values)
            return untraced(computed)
        return computed
    except TypeError:
        listing = " and ".join(map(describe, values))
        raise fail("DLS0209", f"`{name}` does not work on {listing}", span, "cannot be computed") from None
    except OverflowError:
        raise fail("DLS0222", f"the result of `{name}` is too large", span, "too large") from None
    except ValueError:
        listing = " and ".join(map(describe, values))
        raise fail("DLS0210", f"`{name}` of {listing} has no value", span, "cannot be computed") from None


def _given(expr: tree.Call, frame: Frame, fields: type[Op] | None = None) -> list[Given]:
    from dlspec.elaborate.evaluate import evaluate, named

    found = []
    for argument in expr.arguments:
        value: Any = None
        if fields is not None and argument.name is not None and _takes_init(fields, argument.name.id):
            value = init_from_syntax(argument.value, lambda e: evaluate(e, frame))
        written = argument.value
        name = written.id if isinstance(written, tree.Name) else None
        if value is None:
            value = named(written, frame) if isinstance(written, tree.Name) else evaluate(written, frame)
        found.append(Given(argument.name, value, argument.value.span, frame.source(value, name)))
    return found


def _takes_init(cls: type[Op], name: str) -> bool:
    field = cls.model_fields.get(name)
    return field is not None and "Init" in str(field.annotation) and Init is not None


def bind(cls: Any, given: list[Given], span: Span) -> Bound:
    """Arguments to an operator's fields, by position and by name."""
    bound = Bound()
    fields = list(cls.model_fields)
    extra = getattr(cls, "extra_field", None)
    named = [f for f in fields if f != extra]
    extras: dict[str, Any] = {}
    position = 0
    for argument in given:
        if argument.name is None:
            if position >= len(named):
                raise too_many(cls.spec_name(), argument.span, named)
            bound.put(named[position], argument.value, argument.span, argument.source)
            position += 1
        elif argument.name.id in named:
            bound.put(argument.name.id, argument.value, argument.whole, argument.source)
        elif extra is not None:
            if argument.name.id in extras:
                raise given_twice(
                    f"argument `{argument.name.id}`", argument.whole, bound.spans[argument.name.id]
                )
            extras[argument.name.id] = argument.value
            bound.spans[argument.name.id] = argument.whole
        else:
            raise unknown_argument(cls.spec_name(), argument.name, named)
    if extras and extra is not None:
        bound.put(extra, extras, span, None)
    return bound


def _make_layer(cls: type[Op], expr: tree.Call, frame: Frame) -> Layer:
    bound = bind(cls, _given(expr, frame, cls), expr.span)
    construct(cls, cls.spec_name(), bound, expr.span)  # wrong arguments are told where they are written
    return Layer(cls, bound.values, bound.sources, expr.span, spans=bound.spans)


def _function(cls: type[Op], given: list[Given], span: Span, frame: Frame, piped: list[Any]) -> Any:
    from dlspec.elaborate.apply import apply_function

    operands, written, rest = _split_operands(cls, given, piped)
    bound = bind(cls, rest, span)
    if cls.operands and not any(_has_tensor(o) for o in operands):
        if operands and not any(isinstance(o, int | float | list) for o in operands):
            return apply_function(cls, bound, operands, span, frame, written)  # reports what it is given
        bound = bind(cls, given, span)
        construct(cls, cls.spec_name(), bound, span)
        return Partial(cls, bound.values, bound.sources, span, bound.spans)
    return apply_function(cls, bound, operands, span, frame, written)


def _has_tensor(value: Any) -> bool:
    return isinstance(value, Handle) or (isinstance(value, list | tuple) and any(map(_has_tensor, value)))


def _split_operands(
    cls: type[Op], given: list[Given], piped: list[Any]
) -> tuple[list[Any], list[Span | None], list[Given]]:
    """The tensors of a call (piped, by position, by name), where they are written, and its other arguments."""
    positional = [g for g in given if g.name is None]
    named = {g.name.id: g for g in given if g.name is not None}
    waiting = [Given(None, value, _NOWHERE, None) for value in piped]
    operands: list[Given | None] = []

    def take() -> Given:
        return (waiting or positional).pop(0)

    for spec in cls.operands:
        key = spec.strip("*?")
        if key in named:
            operands.append(named[key])
        elif spec.startswith("*"):
            operands.extend(waiting)
            waiting.clear()
            found = [g for g in positional if _has_tensor(g.value)]  # a pattern may stand before them
            positional = [g for g in positional if g not in found]
            operands.extend(found)
        elif spec.endswith("?"):
            present = waiting or (positional and isinstance(positional[0].value, Handle))
            operands.append(take() if present else None)
        elif waiting or positional:
            operands.append(take())
    while operands and operands[-1] is None:
        operands.pop()
    operands.extend(waiting)
    values = [None if operand is None else operand.value for operand in operands]
    written = [None if operand is None or operand.span is _NOWHERE else operand.span for operand in operands]
    used = {id(operand) for operand in operands}
    return values, written, [g for g in given if id(g) not in used]


_NOWHERE: Any = object()
"""The place of an operand that is piped in."""


def _block(definition: BlockDefinition, expr: tree.Call, frame: Frame, piped: list[Any]) -> Any:
    """A block's instance; applied, where tensors are piped in or among the arguments."""
    from dlspec.elaborate.blocks import input_names, make_instance, use_block

    inputs = input_names(definition)
    fed: list[Given] = []
    named: list[Given] = []
    arguments: list[Given] = []
    for given in _given(expr, frame):
        if given.name is not None:
            (named if given.name.id in inputs else arguments).append(given)
        else:
            (fed if _has_tensor(given.value) else arguments).append(given)
    instance = make_instance(definition, arguments, expr.span, frame)
    operands = [*piped, *(g.value for g in fed)]
    if not operands and not named:
        return instance
    return use_block(instance, operands, expr.span, frame, _written(piped, fed), named)
