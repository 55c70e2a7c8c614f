"""One row of a backend's manifest: how an operator is written, and when the row is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlspec.ir.op import Op
from dlspec.ir.types import TensorType

KINDS = ("init", "call", "method", "infix", "prefix", "expr", "nodes")
MISSING: Any = object()
"""The default of a keyword that is always printed."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword argument: the operand, field or fact it takes, and the value at which it is left out.

    A source that is no text is passed as it is; a default ``"=kernel_size"`` is the value of another source.
    """

    source: Any
    default: Any = MISSING


@dataclass(frozen=True, slots=True)
class NativeWeight:
    """Where a framework keeps a canonical weight: attribute (empty: the attribute itself) and layout."""

    name: str
    layout: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """How an operator is written.

    kind, text
        ``init``: an object made once in the constructor and applied as ``self.conv1(x)``; ``call``: a
        function; ``method``: one of the first argument (by default the first operand); ``infix``,
        ``prefix``: an operator sign; ``expr``: a template over operands, fields and facts; ``nodes``: lines
        of ONNX text.
    when
        what must hold: a field, a fact, or ``x.dtype``, ``x.rank`` of an operand (or the first ``result``),
        and its value (a list: one of these). ``NAME.given`` says whether an operand, field or fact is
        there and not None, ``NAME.symbolic`` whether a size is not a number. The first row that fits is used.
    args, kwargs
        what is passed: operands, fields or facts by name, ``axis|table`` looked up in ``[values.table]``.
    apply
        for ``init``: a template over ``layer`` and operands, if it is not ``layer(operands...)``.
    wrap
        for ``init``: a template over ``layer``, which is passed through it once in the constructor.
    results
        for several results: the pattern they are unpacked by, such as ``"{0}, ({1}, {2})"``.
    weights
        canonical local name to native name, or ``"native: o i h w -> h w i o"``; ``bias*`` = ``bias_ih*``
        stands for all names of that form.
    literals
        whether scalar constants may be operands as Python numbers.
    needs
        helpers that are printed into the file: ``snippets/NAME.*``.
    sources
        every name that `args`, `kwargs` and templates mention (with ``|table``), in order.
    """

    op: str
    kind: str
    text: str
    when: Mapping[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    kwargs: Mapping[str, Keyword] = field(default_factory=dict)
    apply: str = ""
    wrap: str = ""
    results: str = ""
    weights: Mapping[str, NativeWeight] = field(default_factory=dict)
    literals: bool = False
    needs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def fits(self, op: Op, types: tuple[TensorType | None, ...], facts: Mapping[str, Any]) -> bool:
        """Whether everything in `when` holds."""
        return all(_matches(look_up(key, op, types, facts), wanted) for key, wanted in self.when.items())

    def native(self, local: str) -> NativeWeight:
        """Where a weight of the operator is kept."""
        entry = self.weights.get(local)
        if entry is not None:
            return entry
        for pattern, entry in self.weights.items():
            head, star, tail = pattern.partition("*")
            if star and local.startswith(head) and local.endswith(tail):
                middle = local[len(head) : len(local) - len(tail)]
                return NativeWeight(
                    entry.name.replace("*", middle), entry.layout and entry.layout.replace("*", middle)
                )
        return NativeWeight(local)


def look_up(
    key: str, op: Op, types: tuple[TensorType | None, ...], facts: Mapping[str, Any], default: Any = None
) -> Any:
    """The value of a field, a fact, or of ``operand.property``."""
    if key in facts:
        return facts[key]
    if key in type(op).model_fields:
        return getattr(op, key)
    base, dot, prop = key.partition(".")
    if not dot:
        return default
    kinds = dict(zip((name.strip("?*") for name in op.operands), types, strict=False))
    if prop == "given":
        return (kinds[base] if base in kinds else look_up(base, op, types, facts)) is not None
    if prop == "symbolic":
        return not isinstance(look_up(base, op, types, facts), int)
    if base == "result":
        result = op.infer(*types)
        return getattr(result[0] if isinstance(result, tuple) else result, prop, default)
    return getattr(kinds.get(base), prop, default)


def mentioned(*templates: str) -> list[str]:
    """The variables that Jinja expressions use; filters and attributes are not variables."""
    inner = " ".join(part for text in templates for part in re.findall(r"{{(.*?)}}", text, re.DOTALL))
    plain = re.sub(r"[|.]\s*\w+|'[^']*'|\"[^\"]*\"", " ", inner)
    return re.findall(r"[A-Za-z_]\w*", plain)


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list) and not isinstance(value, (list, tuple)):
        return any(_matches(value, one) for one in wanted)
    if isinstance(value, tuple):
        value = list(value)
    return (
        type(value) is type(wanted) and value == wanted if isinstance(wanted, bool) else bool(value == wanted)
    )
