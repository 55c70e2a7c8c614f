"""CTC against the sum over all paths, and the edit distance against distances that are known."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest

from dlspec.ops.ctc import CtcLoss, EditDistance


def _by_enumeration(scores: np.ndarray, labels: list[int], blank: int) -> float:
    """-log of the sum of the probabilities of all paths that read as the labels."""
    steps, classes = scores.shape
    total = 0.0
    for path in product(range(classes), repeat=steps):
        if [symbol for symbol, _ in groupby(path) if symbol != blank] == labels:
            total += np.exp(sum(scores[step, symbol] for step, symbol in enumerate(path)))
    return -np.log(total)


@pytest.mark.parametrize(
    ("labels", "steps", "blank"), [([1, 1], 5, 0), ([2, 1], 4, 0), ([], 3, 0), ([0, 1], 5, 2)]
)
def test_sum_over_all_paths(labels: list[int], steps: int, blank: int) -> None:
    logits = np.random.default_rng(0).standard_normal((1, 6, 3))
    scores = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    padded = np.array([[*labels, 1, 1, 1][:3]])
    found = CtcLoss(blank=blank).reference(logits, padded, np.array([steps]), np.array([len(labels)]))
    assert found == pytest.approx(_by_enumeration(scores[0, :steps], labels, blank))


@pytest.mark.parametrize(
    ("guess", "truth", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("flaw", "lawn", 2)],
)
def test_edit_distance(guess: str, truth: str, distance: int) -> None:
    rows = [np.array([[*text.encode(), *b"zz"]], dtype=np.int64) for text in (guess, truth)]
    masks = [np.arange(row.shape[1])[None] < row.shape[1] - 2 for row in rows]
    assert EditDistance().reference(*rows, *masks).tolist() == [distance]
