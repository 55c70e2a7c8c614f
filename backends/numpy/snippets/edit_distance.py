import numpy as np


def edit_distance(
    guess: np.ndarray, truth: np.ndarray, counts: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """The edits that make each row of `guess` that of `truth`, where both count."""
    distances = []
    found, wanted = map(np.extract, counts, guess), map(np.extract, known, truth)
    for symbols, labels in zip(found, wanted, strict=True):
        steps = np.arange(len(labels) + 1)
        row = steps
        for symbol in symbols:
            best = np.minimum(row[1:] + 1, row[:-1] + (labels != symbol))
            best = np.concatenate([row[:1] + 1, best])
            row = np.minimum.accumulate(best - steps) + steps
        distances.append(row[-1])
    return np.array(distances)
