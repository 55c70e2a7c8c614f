"""The error function in simpler operators, to 3e-15: for runtimes that have no `erf` in f64.

erf(x) = sign(x) (1 - exp(-x^2) P / (1 + 2 |x|)), where P is a Chebyshev series in (|x| - 3.75) / (|x| + 3.75)
(the variable is that of Shepherd and Laframboise 1981; the coefficients interpolate at Chebyshev's points).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dlspec.ir.graph import Program
from dlspec.passes.replace import replace_operators

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

CENTRE = 3.75
SERIES = (
    1.1775789345674017e+00, -4.5900545806464924e-03, -8.4249133366517875e-02, 5.9209939998191935e-02,
    -2.6658668435305854e-02, 9.0749976707051715e-03, -2.4131635404179039e-03, 4.9077583652573317e-04,
    -6.9169733025251326e-05, 4.1390279858627571e-06, 7.7403830638243057e-07, -2.1886401048096403e-07,
    1.0764999018658571e-08, 4.5219598243222743e-09, -7.7544004657121950e-10, -6.3180997605905322e-11,
    2.8687948982109012e-11, 1.9453420328011139e-13, -9.6628233858529018e-13, 3.2472837264104200e-14,
    3.3020418325651041e-14,
)  # fmt: skip


def error_function(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program without `erf`."""
    return replace_operators(program, {"erf": _erf})


def _erf(b: Any, op: Any, x: Any) -> Any:
    size = b.abs(x)
    t = (size - CENTRE) / (size + CENTRE)
    complement = b.exp(-(x * x)) * _chebyshev(b, t) / (size * 2.0 + 1.0)
    return b.sign(x) * (1.0 - complement)


def _chebyshev(b: Any, t: Any) -> Any:
    """The series at `t`, by Clenshaw's recurrence."""
    twice = t * 2.0
    last = b.constant(SERIES[-1], like=t)
    before = b.constant(0.0, like=t)
    for coefficient in reversed(SERIES[1:-1]):
        last, before = twice * last - before + coefficient, last
    return t * last - before + SERIES[0]
