"""Expressions in printed code: what gave a number, whether it is right in every instance, and fit to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ir.dims import Dim, Division, Symbolic, substitute, symbols
from dlspec.ir.graph import Graph
from dlspec.ir.traced import LOST, Traced, expression, size_variables, untraced

MOST_ATOMS = 6
"""Names and numbers in an expression that is still easy to read."""


@dataclass(frozen=True, slots=True)
class Expression:
    """In place of a value: what gives it, over the variables of the class (see `Plan.names`)."""

    dim: Symbolic


def collapse(value: Any) -> Any:
    """Equal numbers for every axis as one number: (3, 3) as 3, ((1, 1), (1, 1)) as 1."""
    if isinstance(value, (list, tuple)):
        items = [collapse(item) for item in value]
        if items and all(_alike(item, items[0]) for item in items):
            return items[0]
        return tuple(items)
    return value


def _alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other) and bool(expression(one) == expression(other))


def instance_variables(graph: Graph) -> dict[str, Any]:
    """The values of a graph's variables: its parameters, and the sizes of its inputs that are known."""
    params = {name: collapse(value) for name, value in graph.params.items()}
    inputs = [value.type for value in graph.inputs]
    sizes = {name: inputs[i].shape[axis] for name, (i, axis) in size_variables(inputs, graph.params).items()}
    return {**untraced(sizes), **{name: value for name, value in params.items() if is_plain(value)}}


def remembered(value: Any) -> Symbolic | None:
    """What gave a size, as one expression over variables and the symbols of sizes only known at run time."""
    if isinstance(value, Traced):
        expr = value.expr
        return expr if isinstance(expr, Symbolic) and LOST not in symbols(expr) else None
    if not isinstance(value, Symbolic) or not any(isinstance(c, Traced) for _, c in value.terms):
        return None
    total: Dim = 0
    for monomial, coefficient in value.terms:
        part = expression(coefficient)
        total = total + (part * Symbolic(((monomial, 1),)) if monomial else part)
    return total if isinstance(total, Symbolic) else None


def gives(candidate: Symbolic, values: Sequence[Any], instances: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an expression is right in every instance, whose variables are given."""
    try:
        found = [substitute(candidate, _numbers(instance)) for instance in instances]
    except ZeroDivisionError:
        return False
    return found == list(values)


def counted_from_either_end(axis: Symbolic) -> Symbolic:
    """An axis as the spec gives it: ``axis % 4`` is the same axis as ``axis``, which may be negative."""
    (monomial, coefficient), *rest = axis.terms
    if rest or coefficient != 1 or len(monomial) != 1 or not isinstance(monomial[0], Division):
        return axis
    (division,) = monomial
    return division.numerator if division.sign == "%" and isinstance(division.numerator, Symbolic) else axis


def readable(dim: Dim, most: int = MOST_ATOMS) -> bool:
    """Whether a person would write this expression."""
    return _atoms(dim) <= most


def _atoms(dim: Dim) -> int:
    if isinstance(dim, int):
        return 1
    count = 0
    for monomial, coefficient in dim.terms:
        count += abs(coefficient) != 1 or not monomial
        for atom in dict.fromkeys(monomial):
            count += (
                2 + _atoms(atom.numerator) + _atoms(atom.denominator) if isinstance(atom, Division) else 1
            )
        count += len(monomial) - len(set(monomial))
    return count


def is_word(source: str) -> bool:
    """Whether what a row says of an argument is looked up in a table of the backend: then it is no parameter."""
    return source.partition("|")[2] not in ("", "tuple", "list", "single")


def is_plain(value: Any) -> bool:
    """Whether a value can be a constructor argument: numbers, words, and tuples of them."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, (int, float, str))


def filled(items: Sequence[Any], values: Sequence[Any]) -> tuple[Any, ...] | None:
    """A list in which some items are known by more than their value; None if none is."""
    if all(item is None for item in items):
        return None
    return tuple(untraced(v) if item is None else item for item, v in zip(items, values, strict=True))


def _numbers(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in instance.items() if isinstance(value, int)}


def has_symbol(value: Any) -> bool:
    return isinstance(value, Symbolic) or (isinstance(value, (list, tuple)) and any(map(has_symbol, value)))


def same(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return left == right and all(type(a) is type(b) for a, b in zip(left, right, strict=True))
