"""Patterns such as ``"n t (h d) -> n h t d"``: read, checked against a shape, and taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dlspec.ir.dims import Dim, exact_quotient, product
from dlspec.ir.op import OpError
from dlspec.ir.types import Shape, TensorType

Group = tuple[str, ...]  # the names that one axis is made of; () is an axis of length 1
JOINED = "(...)"  # an ellipsis in parentheses: its axes become one
TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_]\w*|\d+|[()]|\S)")


def malformed(pattern: str, why: str, hint: str | None = None) -> OpError:
    """The error of a pattern that cannot be read."""
    return OpError(
        f'pattern "{pattern}": {why}',
        argument="pattern",
        label=why if len(why) < 40 else "not a pattern",
        hint=hint,
        code="DLS0310",
    )


def parse_pattern(pattern: str) -> tuple[list[Group], list[Group]]:
    """Both sides of ``left -> right``; raises `OpError`."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise malformed(pattern, "it needs one `->` between what goes in and what comes out")
    return parse_side(sides[0], pattern), parse_side(sides[1], pattern)


def parse_side(text: str, pattern: str) -> list[Group]:
    """The axes of one side; each name stands there once."""
    groups: list[Group] = []
    seen: set[str] = set()
    inside: list[str] | None = None
    for token in TOKEN.findall(text):
        if token == "(":
            if inside is not None:
                raise malformed(pattern, "parentheses inside parentheses")
            inside = []
        elif token == ")":
            if inside is None:
                raise malformed(pattern, "`)` without `(`")
            groups.append(tuple(inside))
            inside = None
        else:
            name = _name(token, seen, pattern)
            if inside is None:
                groups.append(name)
            else:
                inside.extend(JOINED if n == "..." else n for n in name)
    if inside is not None:
        raise malformed(pattern, "`(` without `)`")
    return groups


def _name(token: str, seen: set[str], pattern: str) -> Group:
    if token == "1":
        return ()
    if token != "..." and not token.isidentifier():
        raise malformed(
            pattern, f"`{token}` is not the name of an axis", "write a name, and give its size: `h = 8`"
        )
    if token in seen:
        raise malformed(pattern, f"`{token}` stands twice on one side")
    seen.add(token)
    return (token,)


@dataclass(frozen=True)
class Plan:
    """A pattern bound to a shape.

    apart
        the shape with one axis for each name on the left.
    reduced
        the axes of `apart` that do not come out.
    order
        where each axis that comes out is among those that are kept.
    shape
        the result's shape.
    """

    apart: Shape
    reduced: tuple[int, ...]
    order: tuple[int, ...]
    shape: Shape


def plan(pattern: str, x: TensorType, sizes: Mapping[str, Dim], *, reducing: bool) -> Plan:
    """What `pattern` means for a tensor like `x`; raises `OpError`, naming the axis."""
    left, right = parse_pattern(pattern)
    left, right = _expand_ellipsis(pattern, left, right, x)
    names = [name for group in left for name in group]
    kept = [name for group in right for name in group]
    for name in kept:
        if name not in names:
            raise malformed(pattern, f"`{_shown(name)}` stands on the right only")
    if not reducing and len(kept) != len(names):
        lost = next(name for name in names if name not in kept)
        raise malformed(
            pattern, f"`{_shown(lost)}` is missing on the right", "use `reduce` to sum or average over it"
        )
    for name in sizes:
        if name not in names:
            raise OpError(
                f'pattern "{pattern}" has no axis `{name}`',
                argument=name,
                label="not in the pattern",
                code="DLS0311",
            )
    known = _bind(pattern, left, x, sizes)
    remaining = [name for name in names if name in kept]
    return Plan(
        apart=tuple(known[name] for name in names),
        reduced=tuple(i for i, name in enumerate(names) if name not in kept),
        order=tuple(remaining.index(name) for name in kept),
        shape=tuple(product(known[name] for name in group) for group in right),
    )


def _expand_ellipsis(
    pattern: str, left: list[Group], right: list[Group], x: TensorType
) -> tuple[list[Group], list[Group]]:
    rest = [i for i, group in enumerate(left) if group == ("...",)]
    if any(JOINED in group for group in left):
        raise malformed(pattern, "`...` cannot stand in parentheses on the left")
    count = x.rank - len(left) + 1 if rest else 0
    if (not rest and len(left) != x.rank) or count < 0:
        raise OpError(
            f'pattern "{pattern}" is for a tensor with {len(left) - bool(rest)} axes, but {x} has {x.rank}',
            operand=0,
            argument="pattern",
            label=f"for {len(left) - bool(rest)} axes",
            code="DLS0311",
        )
    if not rest:
        return left, right
    names = [f"...{i}" for i in range(count)]
    left = [*left[: rest[0]], *((name,) for name in names), *left[rest[0] + 1 :]]
    expanded: list[Group] = []
    for group in right:
        if group == ("...",):
            expanded.extend((name,) for name in names)
        else:
            expanded.append(tuple(n for name in group for n in (names if name == JOINED else [name])))
    return left, expanded


def _bind(pattern: str, left: list[Group], x: TensorType, sizes: Mapping[str, Dim]) -> dict[str, Dim]:
    known = dict(sizes)
    for axis, (group, dim) in enumerate(zip(left, x.shape, strict=True)):
        open_names = [name for name in group if name not in known]
        if len(open_names) > 1:
            given = ", ".join(f"{name} = ..." for name in open_names[1:])
            raise OpError(
                f'pattern "{pattern}": axis {axis} of {x} is ({" ".join(map(_shown, group))}), '
                f"but the sizes of {' and '.join(f'`{name}`' for name in open_names)} are unknown",
                operand=0,
                argument="pattern",
                label="cannot be taken apart",
                hint=f"give all but one, as in `{given}`",
                code="DLS0312",
            )
        closed = product(known[name] for name in group if name in known)
        if open_names:
            if closed == 0 or dim % closed != 0:
                given = " * ".join(name for name in group if name in known)
                hint = f"`{given}` is {closed}, which must divide {dim}"
                raise _misfit(pattern, group, axis, x, f"is not a multiple of {closed}", hint)
            known[open_names[0]] = exact_quotient(dim, closed)
        elif closed != dim:
            raise _misfit(pattern, group, axis, x, f"is not {closed}")
    return known


def _misfit(
    pattern: str, group: Group, axis: int, x: TensorType, why: str, hint: str | None = None
) -> OpError:
    what = f"({' '.join(map(_shown, group))})" if len(group) != 1 else f"`{_shown(group[0])}`"
    what = what if group else "`1`"
    return OpError(
        f'pattern "{pattern}": axis {axis} of {x} is {what}, but {x.shape[axis]} {why}',
        operand=0,
        argument="pattern",
        label=f"{x.shape[axis]} {why}",
        hint=hint,
        code="DLS0311",
    )


def _shown(name: str) -> str:
    return "..." if name.startswith("...") else name
