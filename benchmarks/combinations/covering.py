"""Few combinations that hold every pair of levels which checking accepts: a covering array, made greedily."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping

Level = tuple[str, str]
"""A factor and its level."""
Pair = frozenset[Level]


def pairs(factors: Mapping[str, Mapping[str, object]]) -> list[Pair]:
    """Every two levels of different factors."""
    return [
        frozenset(((one, a), (other, b)))
        for one, other in itertools.combinations(factors, 2)
        for a, b in itertools.product(factors[one], factors[other])
    ]


def held(levels: Mapping[str, str]) -> set[Pair]:
    """The pairs of a combination."""
    return {frozenset(pair) for pair in itertools.combinations(levels.items(), 2)}


def covering(
    factors: Mapping[str, Mapping[str, object]],
    wanted: set[Pair],
    fine: Callable[[Mapping[str, str]], bool],
    seed: int = 0,
) -> Iterator[dict[str, str]]:
    """Combinations until no pair is left that can be had.

    wanted
        the pairs that go together, of two.
    fine
        whether a combination as a whole is accepted.
    """
    rng, left = random.Random(seed), set(wanted)
    while left:
        pair = rng.choice(sorted(left, key=sorted))
        made = _grown(factors, wanted, left, dict(pair), fine, rng)
        left -= held(made) | {pair}
        yield made


def _grown(
    factors: Mapping[str, Mapping[str, object]],
    wanted: set[Pair],
    left: set[Pair],
    levels: dict[str, str],
    fine: Callable[[Mapping[str, str]], bool],
    rng: random.Random,
) -> dict[str, str]:
    """A combination that begins with a pair: at each factor the level that brings most of what is left."""
    others = [factor for factor in factors if factor not in levels]
    rng.shuffle(others)
    for factor in others:
        choices = []
        for level in factors[factor]:
            new = {frozenset(((factor, level), item)) for item in levels.items()}
            if new <= wanted:
                choices.append((len(new & left), rng.random(), level))
        for _, _, level in sorted(choices, reverse=True)[:3]:
            if fine({**levels, factor: level}):
                levels[factor] = level
                break
    return levels
