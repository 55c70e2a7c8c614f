"""Functions, which have no state, and layers whose state is frozen."""

from __future__ import annotations

import numpy as np
import pytest

import dlspec
from dlspec.diagnostics import SpecError


def spec(body: str, head: str = "") -> dlspec.Spec:
    return dlspec.loads(f"{head}\nmodel Net {{\n  input x: f32[N, 3, 8, 8]\n{body}\n}}")


def code(body: str, head: str = "") -> str:
    with pytest.raises(SpecError) as caught:
        spec(body, head)
    return caught.value.diagnostics[0].code


HALF = "block half(times = 1) { input a  b = a / 2  output b * times }"


def test_a_small_letter_makes_a_function() -> None:
    made = spec("  output y = x -> half -> half(times = 3) -> Conv2d(2, 1)", HALF)
    assert made.program.graphs["half"].function
    text = made.model().code("torch")
    assert "def half(a: Tensor, times: int" in text
    assert "class Half" not in text
    assert "half(" in text.partition("def forward")[2]
    assert "self.half" not in text
    assert "def half(a, times: int" in made.model().code("keras")


@pytest.mark.parametrize(
    "body",
    [
        "output a * Parameter([8], init = ones)",
        "output a -> Linear(8)",
        "output a -> Dropout",
        "output a + normal([8])",
        "output a -> Wrapped",
    ],
)
def test_a_function_has_no_state(body: str) -> None:
    wrapped = "block Wrapped { input a  output a }"
    assert code("  output y = x -> bad", f"{wrapped}\nblock bad {{ input a  {body} }}") == "DLS0420"


def test_repeated_functions_are_a_loop() -> None:
    made = spec("  repeat 5 { x = half(x) }\n  output y = x -> Conv2d(2, 1)", HALF)
    text = made.model().code("torch")
    assert "for _ in range(5):" in text
    assert "nn.Sequential" not in text


def test_a_frozen_layer_is_no_parameter() -> None:
    made = spec("  output y = x -> frozen(Conv2d(4, 1)) -> Conv2d(2, 1)")
    assert made.model().summary().parameters == 10
    assert made.model().summary().state == 16
    assert "self.conv1.requires_grad_(False)" in made.model().code("torch")
    assert "self.conv1.trainable = False" in made.model().code("keras")


def test_a_frozen_layer_can_be_named_and_shared() -> None:
    made = spec("  f = frozen(Conv2d(3, 1))\n  output y = f(f(x)) -> Conv2d(2, 1)")
    assert [w.trainable for w in made.model().graph.weights] == [False, False, True, True]


def test_what_cannot_be_frozen() -> None:
    assert code("  output y = x -> frozen(BatchNorm)") == "DLS0509"
    assert code("  output y = x -> frozen(relu)") == "DLS0402"
    assert code("  output y = x -> frozen(Linear(2), 3)") == "DLS0206"


def test_bilinear_enlarges_by_interpolation() -> None:
    made = spec(
        "  output y = x -> ConvTranspose2d(3, 4, stride = 2, padding = 1, bias = false, weight_init = bilinear)"
    )
    (kernel,) = made.model().weights().values()
    assert np.array_equal(kernel[1, 1, 0], np.float32([0.0625, 0.1875, 0.1875, 0.0625]))
    assert not kernel[0, 1].any()
    assert code("  output y = x -> Linear(3, weight_init = bilinear)") == "DLS0323"
