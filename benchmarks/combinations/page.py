"""The page of what does not go together: `docs/combinations.md`, from what checking says of every pair."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from benchmarks.combinations.covering import Pair
from benchmarks.recorded import DOCS, markdown
from benchmarks.recorded import write as write_page

HEAD = ("settings", "beside", "code", "why")
ABOUT = """# What does not go together

Of every two settings of `data` and `train` below, in a small training of each kind, what checking refuses, with the
code of the error ([errors.md](errors.md)). All other pairs are run by `make combinations`, in as few trainings as hold
them all: PyTorch and Keras come to the same weights and figures in f64, and a run that is stopped at a checkpoint goes
on to the same bits. Names are those of factors and levels in `benchmarks/combinations/settings.toml`, which says what
they write. Written by `python -m benchmarks.combinations --page`.

"""


def rows(told: Mapping[Pair, str]) -> Iterable[tuple[str, ...]]:
    """A row for each reason and factor: the levels of both sides that it is told of."""
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for pair, said in told.items():
        if said:
            (one, a), (other, b) = sorted(pair)
            left, right = found[one, other, said]
            left.add(a)
            right.add(b)
    for (one, other, said), (left, right) in sorted(found.items()):
        code, _, why = re.sub(r" \([^()]*\.dls:[\d:]+\)", "", said).partition(" ")
        yield f"{one}: {', '.join(sorted(left))}", f"{other}: {', '.join(sorted(right))}", code, why


def write(told: Mapping[Pair, str]) -> None:
    """Write the page anew."""
    write_page(DOCS / "combinations.md", ABOUT + markdown(HEAD, rows(told)))
