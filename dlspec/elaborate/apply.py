"""Applying operators, layers and blocks to tensors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from dlspec.diagnostics import SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import Bound, construct
from dlspec.elaborate.frame import Frame, Places, instance_base
from dlspec.elaborate.values import (
    BlockDefinition,
    BlockInstance,
    Layer,
    Operator,
    Partial,
    Stack,
    describe,
)  # fmt: skip
from dlspec.ir.builder import Handle, beside
from dlspec.ir.dims import Symbolic
from dlspec.ir.op import Op
from dlspec.ops import operator
from dlspec.syntax.source import Span


def apply(
    value: Any, operands: list[Any], span: Span, frame: Frame, written: Sequence[Span | None] = ()
) -> Any:
    """`value` applied to operands: what a pipe's stage and a call on an instance do.

    `written` says where the operands are written (None: piped in).
    """
    match value:
        case Operator(cls) if cls.stateful:
            return apply_layer(Layer(cls, {}, {}, span), operands, span, frame, written)
        case Operator(cls):
            return apply_function(cls, Bound(), operands, span, frame, written)
        case Partial():
            bound = Bound()
            bound.values, bound.sources = dict(value.fields), dict(value.sources)
            bound.spans = dict.fromkeys(value.fields, value.span) | value.spans
            return apply_function(value.cls, bound, operands, span, frame, written)
        case Layer():
            return apply_layer(value, operands, span, frame, written)
        case BlockDefinition():
            from dlspec.elaborate.blocks import make_instance, use_block

            return use_block(make_instance(value, [], span, frame), operands, span, frame, written)
        case BlockInstance():
            from dlspec.elaborate.blocks import use_block

            return use_block(value, operands, span, frame, written)
        case Stack():
            from dlspec.elaborate.repeats import apply_stack

            return apply_stack(value, operands, span, frame)
    raise fail("DLS0402", f"{describe(value)} cannot be applied to a tensor", span, "not a layer or function")


def call_value(name: str, operands: list[Any], span: Span, frame: Frame) -> Any:
    """A pure operator by name on operands, numbers among them becoming constants."""
    return apply_function(operator(name), Bound(), operands, span, frame)


def apply_function(
    cls: type[Op],
    bound: Bound,
    operands: list[Any],
    span: Span,
    frame: Frame,
    written: Sequence[Span | None] = (),
) -> Any:
    """A pure function with its fields bound, applied."""
    _needs_graph(cls.spec_name(), span, frame)
    handles, places = tensors(cls, operands, span, frame, written)
    op = construct(cls, cls.spec_name(), bound, span)
    return frame.add(op, handles, span, sources=bound.sources, places=Places(bound.spans, places))


def apply_layer(
    layer: Layer, operands: list[Any], span: Span, frame: Frame, written: Sequence[Span | None] = ()
) -> Any:
    """A layer applied: its weights are made on first use, and the same ever after."""
    _needs_graph(layer.cls.spec_name(), span, frame)
    handles, places = tensors(layer.cls, operands, span, frame, written)
    bound = Bound()
    bound.values = layer.fields
    bound.spans = dict.fromkeys(layer.fields, layer.span) | layer.spans
    op = construct(layer.cls, layer.cls.spec_name(), bound, layer.span)
    name = frame.name_instance(layer, instance_base(layer.cls.__name__), span)
    places_ = Places(layer.spans, places)
    result = frame.add(
        op, handles, span, name=name, sources=layer.sources, places=places_, frozen=layer.frozen
    )
    if not layer.cls.operands:
        frame.made[result.name] = name
    return result


def tensors(
    cls: type[Op], operands: list[Any], span: Span, frame: Frame, written: Sequence[Span | None]
) -> tuple[list[Handle | None], list[Span | None]]:
    """Operands as tensors, and where each is written: numbers become constants of the first tensor's type."""
    what = cls.spec_name()
    variadic = any(name.startswith("*") for name in cls.operands)
    flat: list[Any] = []
    places: list[Span | None] = []
    for operand, place in zip_longest(operands, written[: len(operands)]):
        items = operand if variadic and isinstance(operand, list | tuple) else [operand]
        flat.extend(items)
        places.extend([place] * len(items))
    required = sum(not name.endswith("?") and not name.startswith("*") for name in cls.operands)
    names = ", ".join(name.strip("*?") for name in cls.operands)
    if len(flat) < required or (not variadic and len(flat) > len(cls.operands)):
        given = "1 tensor goes in" if len(flat) == 1 else f"{len(flat) or 'no'} tensors go in"
        message = f"`{what}` takes {_count(cls)} ({names}), but is given {len(flat)}"
        raise fail("DLS0208", message, span, given, _count_hint(cls, what, flat))
    like = beside(flat)
    return [_tensor(o, like, what, span, p, frame) for o, p in zip(flat, places, strict=True)], places


def _count_hint(cls: type[Op], what: str, flat: list[Any]) -> str | None:
    if len(cls.operands) == 1 and len(flat) > 1:
        return "join them first with `concat` or `stack`"
    needed = [name.strip("*") for name in cls.operands if not name.endswith("?")]
    return f"write `{what}({', '.join(needed)})`" if needed else None


def _tensor(
    value: Any, like: Handle | None, what: str, span: Span, place: Span | None, frame: Frame
) -> Handle | None:
    if value is None or isinstance(value, Handle):
        return value
    builder = frame.builder
    if builder is not None and isinstance(value, Symbolic):
        fields = {"dim": value, "dtype": like.type.dtype if like else "i64"}
        size: Handle = frame.add(operator("size").model_validate(fields), [], span)
        return size
    if builder is not None and isinstance(value, bool | int | float):
        constant = builder.constant(value, like=like if not isinstance(value, bool) else None,
                                    dtype="bool" if isinstance(value, bool) else None)  # fmt: skip
        frame.origins[constant.name] = span
        return constant
    raise not_a_tensor(what, value, place or span)


def not_a_tensor(what: str, value: Any, place: Span) -> SpecError:
    """The error for an operand that is none."""
    applicable = isinstance(value, Operator | Partial | Layer | BlockDefinition | BlockInstance | Stack)
    hint = "give it a tensor first: `x -> ...`" if applicable else None
    message = f"`{what}` needs a tensor, but this is {describe(value)}"
    return fail("DLS0202", message, place, "not a tensor", hint)


def weight_of(instance: Layer | BlockInstance, name: str, span: Span, frame: Frame) -> Handle:
    """`embed.weight`: the weight itself, for tying."""
    builder = frame.builder
    what = describe(instance)
    if builder is None or instance.owner is not builder:
        hint = (
            None
            if builder is None or instance.owner is None
            else "pass the weight in as an input of the block"
        )
        raise fail(
            "DLS0405", f"{what} has not been applied here yet, so its weights have no shape", span, "too early",
            hint or "apply it first, then use its weight",
        )  # fmt: skip
    prefix = instance.name + "."
    known = {w[len(prefix) :]: weight.type for w, weight in builder.weights.items() if w.startswith(prefix)}
    if isinstance(instance, BlockInstance):
        from dlspec.elaborate.blocks import weight_types

        known |= weight_types(frame.session, instance.key)
    if name not in known:
        guess = closest(name, list(known))
        listing = ", ".join(f"`{k}`" for k in known) or "none"
        hint = f"did you mean `{guess}`?" if guess else f"its weights are: {listing}"
        raise fail("DLS0213", f"{what} has no weight `{name}`", span, "unknown weight", hint)
    return builder.reference(prefix + name, known[name])


def _needs_graph(what: str, span: Span, frame: Frame) -> None:
    if frame.builder is None:
        raise fail("DLS0216", f"`{what}` makes a tensor, which cannot be done outside a block or model", span,
                   "no tensors here")  # fmt: skip


def _count(cls: type[Op]) -> str:
    required = sum(not n.endswith("?") for n in cls.operands)
    optional = len(cls.operands) - required
    plural = "tensor" if required == 1 else "tensors"
    return f"{required}{f' to {required + optional}' if optional else ''} {plural}"
