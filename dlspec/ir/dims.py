"""Dimensions: integers, or sums, products, floor divisions and remainders of integers and symbols.

A symbolic dimension is kept in a normal form (a polynomial with integer coefficients over atoms),
so that two dimensions are equal exactly when their normal forms are the same object by value.
A small own implementation, because a computer-algebra package costs 0.6 s to import.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from math import gcd
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import core_schema

Monomial = tuple[Any, ...]  # sorted atoms: symbol names or Division objects
Terms = tuple[tuple[Monomial, int], ...]


class Division:
    """`numerator // denominator` or `numerator % denominator` that could not be simplified.

    kind
        ``//``, ``%``, or ``/``: a division known to leave no rest, so that multiplying takes it back.
    """

    __slots__ = ("_key", "denominator", "kind", "numerator")

    def __init__(self, kind: str, numerator: Dim, denominator: Dim) -> None:
        self.kind, self.numerator, self.denominator = kind, numerator, denominator
        self._key = f"{_atomic(numerator)} {kind} {_atomic(denominator)}"

    @property
    def sign(self) -> str:
        """The operator sign, as Python and specs have it."""
        return "%" if self.kind == "%" else "//"

    def __str__(self) -> str:
        return f"({_atomic(self.numerator)} {self.sign} {_atomic(self.denominator)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Division) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


class Symbolic:
    """A dimension that contains at least one symbol, in normal form."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._hash = hash(terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbolic) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Dim) -> Dim:
        return _from_terms([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + other * -1

    def __rsub__(self, other: Dim) -> Dim:
        return self * -1 + other

    def __mul__(self, other: Dim) -> Dim:
        return _from_terms(
            term
            for left, a in self.terms
            for right, b in _terms(other)
            for term in _cancelled(left + right, a * b)
        )

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        return _floordiv(self, other)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return _floordiv(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return _mod(self, other)

    def __rmod__(self, other: Dim) -> Dim:
        return _mod(other, self)

    def __str__(self) -> str:
        parts: list[str] = []
        for monomial, coefficient in self.terms:
            text = " * ".join(map(str, monomial))
            if not monomial:
                text = str(abs(coefficient))
            elif abs(coefficient) != 1:
                text = f"{abs(coefficient)} * {text}"
            sign = "-" if coefficient < 0 else "+"
            parts.append(f"{sign} {text}" if parts else (f"-{text}" if sign == "-" else text))
        return " ".join(parts)

    __repr__ = __str__

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Symbolic dimensions validate by identity; text is parsed by `parse_dim` before."""
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": "an expression such as 2 * T + 1"}


def symbol(name: str) -> Symbolic:
    """The dimension that is only the symbol `name`."""
    return Symbolic((((name,), 1),))


def symbols(dim: Dim) -> set[str]:
    """The names of all symbols in `dim`."""
    found: set[str] = set()
    for monomial, _ in _terms(dim):
        for atom in monomial:
            if isinstance(atom, Division):
                found |= symbols(atom.numerator) | symbols(atom.denominator)
            else:
                found.add(atom)
    return found


def substitute(dim: Dim, values: Mapping[str, Dim]) -> Dim:
    """`dim` with each symbol in `values` replaced by its value."""
    if isinstance(dim, int):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        product: Dim = coefficient
        for atom in monomial:
            product = product * _substitute_atom(atom, values)
        total = total + product
    return total


def product(dims: Iterable[Dim]) -> Dim:
    """The product of `dims`; 1 when there are none."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def parse_dim(text: str) -> Dim:
    """The dimension written as `text`, such as ``"2 * T + 1"``; raises ValueError on anything else."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"not a dimension: {text!r}") from error
    return _from_ast(tree, text)


def _substitute_atom(atom: Any, values: Mapping[str, Dim]) -> Dim:
    if not isinstance(atom, Division):
        return values.get(atom, symbol(atom))
    numerator = substitute(atom.numerator, values)
    denominator = substitute(atom.denominator, values)
    return _DIVISIONS[atom.kind](numerator, denominator)


def _from_ast(node: ast.expr, text: str) -> Dim:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _from_ast(operand, text) * -1
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _AST_OPERATIONS:
            return _AST_OPERATIONS[type(op)](_from_ast(left, text), _from_ast(right, text))
    raise ValueError(f"not a dimension: {text!r}")


_AST_OPERATIONS: dict[type, Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}


def _terms(dim: Dim) -> Terms:
    if isinstance(dim, Symbolic):
        return dim.terms
    return (((), dim),) if dim else ()


def _from_terms(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    total: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + coefficient
    kept = {m: c for m, c in total.items() if c}
    if not kept:
        return 0
    if set(kept) == {()}:
        return kept[()]
    # Longest monomials first and the constant last, as one writes polynomials.
    return Symbolic(tuple(sorted(kept.items(), key=lambda term: (-len(term[0]), str(term[0])))))


def exact_quotient(numerator: Dim, denominator: Dim) -> Dim:
    """`numerator // denominator` where that is known to leave no rest: multiplied again it is `numerator`."""
    if isinstance(numerator, int) and isinstance(denominator, int):
        divide = getattr(numerator, "exact_quotient", None) or getattr(denominator, "exactly_divides", None)
        return divide(numerator, denominator) if divide else numerator // denominator
    return _floordiv(numerator, denominator, "/")


def _floordiv(numerator: Dim, denominator: Dim, kind: str = "//") -> Dim:
    if denominator == 1:
        return numerator
    if denominator == 0:
        raise ZeroDivisionError("division of a dimension by zero")
    exact, rest = _split(numerator, denominator)
    if rest == 0:
        return exact
    if isinstance(denominator, int) and isinstance(rest, int):
        return exact + rest // denominator
    common = gcd(*(c for dim in (rest, denominator) for _, c in _terms(dim)))
    if common > 1:
        rest, denominator = (_from_terms((m, c // common) for m, c in _terms(d)) for d in (rest, denominator))
        return exact + _floordiv(rest, denominator, kind)
    return exact + Symbolic((((Division(kind, rest, denominator),), 1),))


_DIVISIONS: dict[str, Callable[[Dim, Dim], Dim]] = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "/": exact_quotient,
}


def _cancelled(monomial: Monomial, coefficient: int) -> Iterable[tuple[Monomial, int]]:
    """A product in normal form: an exact division is taken back by its denominator."""
    for atom in monomial:
        if not isinstance(atom, Division) or atom.kind != "/":
            continue
        divisor_terms = _terms(atom.denominator)
        if len(divisor_terms) != 1:
            continue
        divisor, scale = divisor_terms[0]
        others = list(monomial)
        others.remove(atom)
        rest = _without(tuple(others), divisor)
        if rest is not None and coefficient % scale == 0:
            whole = Symbolic(((rest, coefficient // scale),)) if rest else coefficient // scale
            return _terms(whole * atom.numerator)
    return [(tuple(sorted(monomial, key=str)), coefficient)]


def _mod(numerator: Dim, denominator: Dim) -> Dim:
    if denominator == 0:
        raise ZeroDivisionError("remainder of a dimension by zero")
    _, rest = _split(numerator, denominator)
    if rest == 0 or denominator == 1:
        return 0
    if isinstance(denominator, int) and isinstance(rest, int):
        return rest % denominator
    return Symbolic((((Division("%", rest, denominator),), 1),))


def _split(numerator: Dim, denominator: Dim) -> tuple[Dim, Dim]:
    """The multiple of `denominator` that is plain to see in `numerator`, and what is left."""
    if numerator == denominator:
        return 1, 0
    divisor_terms = _terms(denominator)
    if len(divisor_terms) != 1:
        return 0, numerator
    divisor, scale = divisor_terms[0]
    exact: list[tuple[Monomial, int]] = []
    rest: list[tuple[Monomial, int]] = []
    for monomial, coefficient in _terms(numerator):
        remaining = _without(monomial, divisor)
        if remaining is None:
            rest.append((monomial, coefficient))
        else:  # coefficients that are left lie below the divisor's, so that (T - 1) // 2 + 1 is (T + 1) // 2
            whole = coefficient % scale == 0
            quotient = exact_quotient(coefficient, scale) if whole else coefficient // scale
            exact.append((remaining, quotient))  # type: ignore[arg-type]
            rest.append((monomial, coefficient % scale))
    return _from_terms(exact), _from_terms(rest)


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    remaining = list(monomial)
    for atom in divisor:
        if atom not in remaining:
            return None
        remaining.remove(atom)
    return tuple(remaining)


def _atomic(dim: Dim) -> str:
    simple = isinstance(dim, int) or (len(dim.terms) == 1 and dim.terms[0][1] == 1 == len(dim.terms[0][0]))
    return str(dim) if simple else f"({dim})"


def _parse_text(value: Any) -> Any:
    return parse_dim(value) if isinstance(value, str) else value


Dim = Annotated[
    int | Symbolic,
    BeforeValidator(_parse_text),
    PlainSerializer(lambda dim: dim if isinstance(dim, int) else str(dim)),
]
"""An axis length: an int, or a `Symbolic`. In JSON an integer or an expression such as "2 * T"."""
