"""Settings of a training that did not go together once: each case by the campaign of `make combinations`."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("benchmarks.combinations", reason="the benchmarks are in checkouts only")
from benchmarks.combinations.covering import covering, held, pairs
from benchmarks.combinations.running import faults, refused
from benchmarks.combinations.spec import factors

ONCE = {
    "averages of several models are saved as weights": "form=two_models ema=yes",
    "a loss is measured by the progress from before the last step": "form=progress split=three",
    "a weight of four axes has no norm in Keras": "model=conv optimizer=lamb",
    "Keras has gradients of some rows only": "column=category optimizer=lion",
    "a dictionary of totals was broken where `for` unpacks": "form=rare checkpoint=steps",
    "weights in a loss are read in half precision": "loss=decay precision=bf16 form=step",
    "pieces of other lengths are compiled again": "accumulate=two bucket=by checkpoint=epochs precision=fp16 "
    "model=batch_norm remat=yes draws=counted rate=cosine_plateau",
    "values of a row that comes twice are clipped by occurrence in Keras": "column=characters clip=value",
    "Keras' norms have wrong second derivatives": "form=gradient model=batch_norm",
    "a checkpoint of several processes has no empty groups": "parallel=shard groups=bias checkpoint=three_steps "
    "optimizer=adamw",
}
"""What was wrong, and by which levels."""


@pytest.mark.slow
@pytest.mark.parametrize("levels", ONCE.values(), ids=ONCE.keys())
def test_both_frameworks_do_the_same(levels: str, tmp_path: Path) -> None:
    assert faults(dict(each.split("=") for each in levels.split()), tmp_path) == []


@pytest.mark.parametrize("factor", factors())
def test_every_level_is_a_spec(factor: str, tmp_path: Path) -> None:
    """By itself it is accepted: the campaign is about pairs."""
    told = {level: refused({factor: level}, tmp_path) for level in factors()[factor]}
    assert not any(told.values()), told


def test_few_combinations_hold_all_pairs() -> None:
    table = {name: dict.fromkeys("abc") for name in "vwxyz"}
    wanted = {pair for pair in pairs(table) if pair != {("v", "a"), ("w", "a")}}

    def fine(levels: object) -> bool:
        return levels != {"v": "b", "w": "b", "x": "b"}

    made = list(covering(table, wanted, fine))
    assert set().union(*map(held, made)) == wanted
    assert len(made) < 25
