"""Initial weights: the recipe word for word, and PyTorch's formulas."""

from __future__ import annotations

import math
from hashlib import sha256

import numpy as np
import pytest

from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program, Weight
from dlspec.ir.op import Init
from dlspec.ir.types import tensor
from dlspec.weights.draw import KINDS, draw, draw_weights


def drawn(
    kind: str, shape: tuple[int, ...] = (200, 300), *args: float, zero_row: int | None = None
) -> np.ndarray:
    init = Init(kind=kind, args=args, zero_row=zero_row)  # type: ignore[arg-type]
    fan_in = math.prod(shape[1:])
    weight = Weight(name="w", type=tensor("f32", shape), init=init, fan_in=fan_in, fan_out=shape[0])
    return draw(weight, 7)  # type: ignore[no-any-return]


def test_the_recipe() -> None:
    key = int.from_bytes(sha256(b"7:w").digest()[:16], "little")
    words = np.random.Philox(key=key).random_raw(6)
    u = ((words >> np.uint64(11)) + 0.5) * 2.0**-53
    np.testing.assert_array_equal(
        drawn("uniform", (2, 3), -1, 1), (2 * u - 1).reshape(2, 3).astype(np.float32)
    )


def test_known_numbers() -> None:
    assert drawn("uniform", (3,), 0, 1).tolist() == [
        0.9558200836181641,
        0.8607591986656189,
        0.13072827458381653,
    ]


@pytest.mark.parametrize(
    ("kind", "args", "std"),
    [
        ("normal", (0.5,), 0.5),
        ("xavier_uniform", (), math.sqrt(2 / 500)),
        ("xavier_normal", (2.0,), 2 * math.sqrt(2 / 500)),
        ("kaiming_uniform", (), math.sqrt(2 / 300)),
        ("kaiming_normal", (1.0,), math.sqrt(1 / 300)),
        ("lecun_normal", (), math.sqrt(1 / 300)),
        ("truncated_normal", (1.0,), 0.8796),
    ],
)
def test_scaled_initialisers(kind: str, args: tuple[float, ...], std: float) -> None:
    array = drawn(kind, (200, 300), *args)
    assert array.dtype == np.float32
    assert array.std() == pytest.approx(std, rel=0.02)
    assert abs(array.mean()) < 0.02 * std


def test_truncated_normal_is_cut_at_two_deviations() -> None:
    assert np.abs(drawn("truncated_normal", (200, 300), 0.1)).max() <= 0.2


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = drawn("orthogonal", shape, 2.0).reshape(shape[0], -1)
    small = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_constants_and_zero_rows() -> None:
    assert set(drawn("constant", (3,), 0.25).tolist()) == {0.25}
    np.testing.assert_array_equal(drawn("identity", (2, 3)), np.eye(2, 3))
    array = drawn("normal", (4, 3), 1.0, zero_row=1)
    assert not array[1].any()
    assert array[0].all()


def test_every_kind_is_known() -> None:
    assert set(KINDS) == set(Init.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]


def test_a_weight_depends_on_its_name_alone() -> None:
    def weights(*names: str) -> dict[str, np.ndarray]:
        b = Builder("Net")
        x = b.input("x", "f32[N, 4]")
        for name in names:
            x = b.Linear(4, name=name)(x)
        b.output("y", x)
        return draw_weights(Program(graphs={"Net": b.build()}, models={"Net": "Net"}), "Net", 3)

    one, two = weights("a"), weights("b", "a")
    np.testing.assert_array_equal(one["a.weight"], two["a.weight"])
    assert not np.array_equal(two["a.weight"], two["b.weight"])
    assert list(two) == ["b.weight", "b.bias", "a.weight", "a.bias"]


def test_a_large_weight_is_drawn_in_pieces_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drawn("normal", (7, 11), 1.0)
    monkeypatch.setattr("dlspec.weights.draw.CHUNK", 10)
    np.testing.assert_array_equal(drawn("normal", (7, 11), 1.0), whole)
