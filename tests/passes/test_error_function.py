"""The error function without `erf`."""

from __future__ import annotations

import math

import numpy as np

from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.passes.error_function import _erf
from dlspec.runtime.interpreter import run


def test_it_is_the_error_function() -> None:
    b = Builder("Net")
    b.output("y", _erf(b, None, b.input("x", "f32[N]")))
    x = np.concatenate([np.linspace(-7, 7, 2001), [0.0, 1e-9, -30.0, 1e3]])
    given = run(Program(graphs={"Net": b.build()}), "Net", {"x": x}, {}, double=True)["y"]
    np.testing.assert_allclose(given, [math.erf(value) for value in x], rtol=0, atol=4e-15)
