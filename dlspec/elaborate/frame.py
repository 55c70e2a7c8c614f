"""The place where an expression is evaluated: a scope, and the graph that tensors go into."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError
from dlspec.elaborate.session import Session, location
from dlspec.elaborate.values import BlockInstance, Layer, Scope, describe
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import Dim, Symbolic, symbol
from dlspec.ir.op import Op, OpError
from dlspec.ir.traced import Traced, untraced, variable, variables
from dlspec.syntax import tree
from dlspec.syntax.source import Span


@dataclass(slots=True)
class Places:
    """Where the parts of a call are written: its arguments by field, its operands (None: piped in)."""

    arguments: dict[str, Span] = field(default_factory=dict)
    operands: Sequence[Span | None] = ()

    def operand(self, index: int | None) -> Span | None:
        """The place of an operand, where the call has several: of a single one the call itself is the place."""
        several = len(self.operands) > 1 and index is not None and index < len(self.operands)
        return self.operands[index] if several and index is not None else None


class Frame:
    """One block body (or compile-time expression, then without builder) being elaborated.

    params
        the block's parameters and their values, so that arguments can remember which parameter gave them.
    variables
        the values of the block's variables: its parameters, and the sizes of its inputs that are known (see
        `ir.traced`). `fixed` are those that something has been decided by.
    outer
        the frame around a `repeat` body: tensors of it that are used inside become inputs.
    """

    def __init__(
        self, session: Session, scope: Scope, builder: Builder | None = None, outer: Frame | None = None
    ) -> None:
        self.session, self.scope, self.builder, self.outer = session, scope, builder, outer
        self.params: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.fixed: set[str] = set()
        self.symbols: dict[str, Any] = {}
        # The names that statements of the block define, sooner or later, and the loop or choice around each.
        self.defined: dict[str, tuple[Span, tree.Statement | None]] = {}
        self.origins: dict[str, Span] = {}
        self.captured: dict[str, tuple[Handle, Handle]] = {}  # outer value -> (outer handle, input here)
        self.training = False  # a step, a loss or metrics, where `grad` may be used
        self.made: dict[str, str] = {}  # value of a layer without operands (a raw weight) -> the layer's name
        self._instances: dict[str, int] = {}
        self._renamed: dict[str, str] = {}
        self._taken: set[str] = set()
        self._provisional: list[tuple[str, str]] = []  # provisional name, base

    # --- nodes ------------------------------------------------------------------------------------

    def add(
        self,
        op: Op,
        operands: list[Handle | None],
        span: Span,
        *,
        name: str = "",
        sources: dict[str, Dim] | None = None,
        places: Places | None = None,
        frozen: bool = False,
    ) -> Any:
        """Apply an operator; one result or a tuple of them. Shape errors become diagnostics here."""
        assert self.builder is not None
        self.session.count_nodes(1, span)
        local = [None if o is None else self.localize(o) for o in operands]
        try:
            results = self.builder.add(
                op, local, name=name, sources=sources, frozen=frozen, location=location(span)
            )
        except OpError as error:
            raise self.op_error(error, span, local, places or Places()) from None
        for result in results:
            self.origins[result.name] = span
        return results[0] if len(results) == 1 else tuple(results)

    def op_error(
        self, error: OpError, span: Span, operands: list[Handle | None], places: Places
    ) -> SpecError:
        """An operator's complaint at the smallest place known, and where the operand to blame came from."""
        place = places.arguments.get(error.argument) or places.operand(error.operand) or span
        diagnostic = Diagnostic(error.code, error.message, place, error.label or "here", hint=error.hint)
        blamed = operands if error.operand is None else operands[error.operand : error.operand + 1]
        for operand in dict.fromkeys(o for o in blamed[:2] if o is not None):
            origin = self.origins.get(operand.name)
            if origin is not None and origin is not span and origin is not place:
                diagnostic.notes.append(Note(origin, f"{operand.type} comes from here"))
        return SpecError([diagnostic])

    def localize(self, handle: Handle) -> Handle:
        """The handle in this graph; one of an outer graph becomes an input of this one."""
        assert self.builder is not None
        if handle.builder is self.builder:
            return handle
        assert self.outer is not None, "no tensor leaves its block but as an operand"
        known = self.captured.get(handle.name)
        if known is None:
            name = handle.builder.base_name(handle).replace(".", "_")  # a weight's path has dots
            inside = self.builder.input(name or "x", handle.type)
            known = self.captured[handle.name] = (handle, inside)
            self.inherit_origin(inside, self.outer, handle)
        return known[1]

    def inherit_origin(self, inside: Handle, outer: Frame, handle: Handle) -> None:
        """`inside` stands here for `handle` of an outer frame, and so comes from where that came from."""
        if handle.name in outer.origins:
            self.origins[inside.name] = outer.origins[handle.name]

    # --- where numbers come from ------------------------------------------------------------------

    def enter(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The values of parameters inside the block: what the caller knew of them is left behind."""
        self.variables = {name: untraced(value) for name, value in arguments.items()}
        self.params = {
            name: variable(name, value) if is_whole(value) else value
            for name, value in self.variables.items()
        }
        return dict(self.params)

    def size(self, name: str, value: Dim) -> Dim:
        """A size of an input inside the block: a variable, called `name` unless that is another one."""
        if not isinstance(value, int) or isinstance(value, Traced):
            return value
        while name in self.variables:
            name += "_"
        self.variables[name] = value
        return variable(name, value)

    def settle(self, *values: Any) -> None:
        """Something is decided by these values, or computed in a way that is not remembered."""
        for value in values:
            self.fixed |= variables(value)

    def read(self, name: str, value: Any) -> None:
        """A name is read. What is made of a parameter that is no whole number is not remembered."""
        if name in self.params and value is self.params[name] and not isinstance(value, Traced):
            self.fixed.add(name)

    def source(self, value: Any, name: str | None) -> Dim | None:
        """What gave an argument, as far as that can be said; `name` is what it is written as, if that is one."""
        if isinstance(value, Traced):
            return value.expr if isinstance(value.expr, Symbolic) else None
        if name is None or name not in self.params or value is not self.params[name]:
            return None
        return symbol(name)

    # --- instances --------------------------------------------------------------------------------

    def name_instance(self, instance: Layer | BlockInstance, base: str, span: Span) -> str:
        """The instance's name in this graph: the user's, or provisional until all are known."""
        home = instance.owner or instance.home
        if home is not None and home is not self.builder:
            raise self._elsewhere(instance, home, span)
        if not instance.name:
            instance.owner = self.builder
            if instance.explicit:
                instance.name = self._unique(instance.explicit)
            else:
                self._instances[base] = self._instances.get(base, 0) + 1
                instance.name = f"{base}#{self._instances[base]}"
                self._provisional.append((instance.name, base))
        return instance.name

    def _elsewhere(self, instance: Layer | BlockInstance, home: Builder, span: Span) -> SpecError:
        """The error of a layer used outside the body that it belongs to."""
        what, made = (
            describe(instance),
            [Note(instance.span, "made here")] if instance.span is not span else [],
        )
        if self.outer is not None:
            message = f"this {what} is made outside of the `repeat` that uses it"
            hint = "inside `repeat` every copy has its own weights; share with `for` instead"
        else:
            message = f"this {what} belongs to `{home.name}` and cannot be used in another block too"
            hint = "write it again for weights of its own"
        return SpecError([Diagnostic("DLS0406", message, span, "used here", made, hint)])

    def name_made(self, value: str, name: str) -> None:
        """The user assigned a raw weight to a name: it is called so, unless it has a name already."""
        self._renamed.setdefault(self.made[value], name)

    def final_names(self) -> dict[str, str]:
        """Provisional instance names to final ones: `conv` when there is one, else `conv1`, `conv2`, ..."""
        names: dict[str, str] = {}
        for provisional, base in self._provisional:
            if provisional in self._renamed:
                names[provisional] = self._unique(self._renamed[provisional])
                continue
            number = "" if self._instances[base] == 1 else provisional.partition("#")[2]
            names[provisional] = self._unique(base + number)
        return names

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._taken:
            count += 1
            candidate = f"{name}_{count}"
        self._taken.add(candidate)
        return candidate

    def bind_symbol(self, name: str, dim: int | Symbolic, span: Span) -> None:
        """Let a dimension's name stand for its size from here on."""
        self.scope.define(name, dim, span)
        self.symbols[name] = dim


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number (a truth value is none)."""
    return isinstance(value, int) and not isinstance(value, bool)


def instance_base(name: str) -> str:
    """The base of an instance's name: `Conv2d` -> `conv`, `BatchNorm` -> `norm`, `MyBlock` -> `my_block`."""
    if name.endswith("Norm"):
        return "norm"
    plain = re.sub(r"(?<=[a-z])[123]d$", "", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain).lower()
