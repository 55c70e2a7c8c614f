"""Numbers that remember where they came from.

While a block is elaborated, its whole-number parameters and the known sizes of its inputs are `Traced`: numbers
with an expression over the *variables* of the block. Arithmetic goes on with the expression beside the value, so
that the shapes and arguments of a graph know which of them is ``4 * planes``. In every other respect they are
numbers: shape rules and checks need not know of them, and they are gone once a graph has been written as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dlspec.ir.dims import Dim, Symbolic, exact_quotient, substitute, symbol, symbols
from dlspec.ir.types import TensorType

LOST = "?"
"""In place of an expression that has become too long to be of use; its variables stand beside it."""

MOST_TERMS = 6
MOST_LETTERS = 160
DEEPEST = 50
"""So many operations may wait to be written as an expression."""


class Traced(int):
    """A whole number, and the expression over the variables of its block that gave it.

    `make` gives the expression when it is asked for: of most numbers nobody ever asks.
    """

    def __new__(cls, value: int, expr: Dim | None = None, make: Callable[[], Dim] | None = None) -> Traced:
        self = super().__new__(cls, value)
        self._expr, self._make, self._depth = expr, make, 0
        return self

    _expr: Dim | None
    _make: Callable[[], Dim] | None
    _depth: int

    @property
    def expr(self) -> Dim:
        """The expression; a number where the variables have cancelled each other out."""
        if self._expr is None:
            assert self._make is not None
            expr = self._make()
            if isinstance(expr, Symbolic) and (len(expr.terms) > MOST_TERMS or len(str(expr)) > MOST_LETTERS):
                expr = _lost(symbols(expr))
            self._expr, self._make = expr, None
        return self._expr

    def __getnewargs__(self) -> tuple[int, Dim]:  # type: ignore[override]
        return int(self), self.expr

    def __reduce__(self) -> Any:
        return Traced, (int(self), self.expr)

    def __add__(self, other: Any) -> Any:
        return self._with(other, int.__add__(self, other), lambda: self.expr + expression(other))

    def __sub__(self, other: Any) -> Any:
        return self._with(other, int.__sub__(self, other), lambda: self.expr - expression(other))

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, int.__rsub__(self, other), lambda: expression(other) - self.expr)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, int.__mul__(self, other), lambda: self.expr * expression(other))

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, int.__floordiv__(self, other), lambda: self.expr // expression(other))

    def __rfloordiv__(self, other: Any) -> Any:
        return self._with(other, int.__rfloordiv__(self, other), lambda: expression(other) // self.expr)

    def __mod__(self, other: Any) -> Any:
        return self._with(other, int.__mod__(self, other), lambda: self.expr % expression(other))

    def __rmod__(self, other: Any) -> Any:
        return self._with(other, int.__rmod__(self, other), lambda: expression(other) % self.expr)

    def __pow__(self, other: Any, modulus: None = None) -> Any:  # type: ignore[override]
        if isinstance(other, int) and 0 < other <= 4:
            power: Any = self
            for _ in range(other - 1):
                power = power * self
            return power
        return int.__pow__(self, other)

    def __neg__(self) -> Any:
        return self * -1

    __radd__ = __add__
    __rmul__ = __mul__

    def exact_quotient(self, numerator: int, denominator: int) -> Any:
        """See `dims.exact_quotient`, which looks for this."""
        other = denominator if self is numerator else numerator
        value = int(numerator) // int(denominator)
        return self._with(
            other, value, lambda: exact_quotient(expression(numerator), expression(denominator))
        )

    exactly_divides = exact_quotient

    def _with(self, other: Any, value: Any, make: Callable[[], Dim]) -> Any:
        """The result of an operation with another number."""
        if value is NotImplemented or not isinstance(value, int):
            return value
        return later(value, make, (self, other))


def later(value: int, make: Callable[[], Dim], needs: Iterable[Any]) -> Traced:
    """A number whose expression is made when it is asked for, from those of the numbers that it `needs`."""
    made = Traced(value, None, make)
    made._depth = 1 + max((n._depth for n in needs if isinstance(n, Traced)), default=0)
    if made._depth >= DEEPEST:
        _ = made.expr  # so that asking for it later does not go too deep
        made._depth = 0
    return made


def variable(name: str, value: int) -> Traced:
    """The value of a variable of a block."""
    return Traced(value, symbol(name))


def expression(value: Any) -> Any:
    """What gave a number: its expression, or the number itself."""
    return value.expr if isinstance(value, Traced) else value


def variables(value: Any, *, lost: bool = False) -> set[str]:
    """The variables that a value, or anything in a list or dictionary of values, depends on.

    With `lost` only those that it depends on in a way that was too long to remember.
    """
    if isinstance(value, Traced):
        names = symbols(value.expr)
        return names - {LOST} if LOST in names or not lost else set()
    if isinstance(value, Symbolic):
        return {name for _, coefficient in value.terms for name in variables(coefficient, lost=lost)}
    if isinstance(value, dict):
        return {name for item in value.values() for name in variables(item, lost=lost)}
    if isinstance(value, (list, tuple)):
        return {name for item in value for name in variables(item, lost=lost)}
    return set()


def remembers(value: Any) -> bool:
    """Whether a value, or anything in it, knows where it came from."""
    if isinstance(value, Symbolic):
        return any(isinstance(coefficient, Traced) for _, coefficient in value.terms)
    if isinstance(value, (list, tuple)):
        return any(map(remembers, value))
    return isinstance(value, Traced) or (isinstance(value, dict) and any(map(remembers, value.values())))


def translate(value: Any, bindings: Mapping[str, Dim]) -> Any:
    """`value`, its expressions evaluated with these values for the variables (themselves traced, perhaps).

    A number that nothing is known of stays as it is; one whose expression got lost stays lost.
    """
    if isinstance(value, Traced):
        result = substitute(value.expr, bindings)
        return result if isinstance(result, int) else value
    if isinstance(value, Symbolic):
        total: Dim = 0
        for monomial, coefficient in value.terms:
            total = (
                total + translate(coefficient, bindings) * Symbolic(((monomial, 1),))
                if monomial
                else (total + translate(coefficient, bindings))
            )
        return total
    if isinstance(value, (list, tuple)):
        return type(value)(translate(item, bindings) for item in value)
    if isinstance(value, dict):
        return {key: translate(item, bindings) for key, item in value.items()}
    return value


def handed_out(value: Any, given: Mapping[str, Dim]) -> Any:
    """A size that a callee gives back, in its caller: the same number, which comes from what the callee was given."""
    if isinstance(value, Traced):
        return later(value, lambda: _handed_out(value, given), (value, *given.values()))
    if isinstance(value, Symbolic) and remembers(value):
        return Symbolic(tuple((monomial, handed_out(c, given)) for monomial, c in value.terms))
    return value


def _handed_out(value: Traced, given: Mapping[str, Dim]) -> Dim:
    names = symbols(value.expr)
    if LOST in names:
        return _lost({name for own in names for name in variables(given.get(own))})
    return expression(substitute(value.expr, given))


def _lost(names: set[str]) -> Symbolic:
    return Symbolic(((tuple(sorted({LOST, *names})), 1),))


def untraced(value: Any) -> Any:
    """The same value without memory: what is handed into another block."""
    if isinstance(value, Traced):
        return int(value)
    if isinstance(value, Symbolic):
        return Symbolic(tuple((m, int(c)) for m, c in value.terms))
    if isinstance(value, (list, tuple)):
        return type(value)(untraced(item) for item in value)
    if isinstance(value, dict):
        return {key: untraced(item) for key, item in value.items()}
    return value


def retraced(made: Any, given: Any) -> Any:
    """What validation `made` of a `given` value, with the memory that validation loses."""
    if isinstance(made, bool) or not remembers(given):
        return made
    if isinstance(made, int):
        return given if isinstance(given, int) and made == given else made
    if isinstance(made, (list, tuple)):
        each = given if isinstance(given, (list, tuple)) and len(given) == len(made) else [given] * len(made)
        return type(made)(retraced(m, g) for m, g in zip(made, each, strict=True))
    if isinstance(made, dict) and isinstance(given, dict):
        return {key: retraced(item, given.get(key)) for key, item in made.items()}
    return made


def lone_variable(value: Any) -> str:
    """The variable that a number is, nothing else; "" if it is not one."""
    if not isinstance(value, Traced) or not isinstance(value.expr, Symbolic):
        return ""
    name = str(value.expr)
    return name if value.expr == symbol(name) else ""


def size_variables(inputs: Sequence[TensorType], params: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The variables of a graph that are sizes of its inputs: name to number of the input and axis."""
    found: dict[str, tuple[int, int]] = {}
    for position, kind in enumerate(inputs):
        for axis, dim in enumerate(kind.shape):
            name = lone_variable(dim)
            if name and name not in params:
                found.setdefault(name, (position, axis))
    return found


def bindings(
    inputs: Sequence[TensorType],
    params: Mapping[str, Any],
    given: Mapping[str, Any],
    types: Sequence[TensorType],
) -> dict[str, Any]:
    """The values of a callee's variables in its caller, from the arguments `given` and the operands' `types`."""
    sizes = {
        name: types[position].shape[axis] for name, (position, axis) in size_variables(inputs, params).items()
    }
    return {**sizes, **{name: value for name, value in given.items() if name in params}}
