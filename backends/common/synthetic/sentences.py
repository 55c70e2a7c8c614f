import numpy as np


def sentences(
    seed: int, *, examples: int = 4000, length: int = 12
) -> dict[str, np.ndarray]:
    """Sentences that praise (1) or blame (0), as numbers of words.

    Word 1 is "not", 2 to 9 are good, 10 to 17 bad, 18 to 49 neither. Each sentence has one good or bad word and
    one "not", which turns that word around where it stands right before it: counting words says nothing.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    sentence = rng.integers(18, 50, (examples, length))
    bad, turned = rng.integers(2, size=(2, examples))
    at = rng.integers(1, length, examples)
    before = (at - 1 - rng.integers(1, length - 1, examples)) % length
    elsewhere = np.where(before == at, (at + 1) % length, before)
    rows = np.arange(examples)
    sentence[rows, at] = 2 + 8 * bad + rng.integers(8, size=examples)
    sentence[rows, np.where(turned, at - 1, elsewhere)] = 1
    for row, used in enumerate(rng.integers(5, length + 1, examples)):
        sentence[row, max(used, sentence[row].argmin() + 1, at[row] + 1) :] = 0
    return {"sentence": sentence, "label": 1 - (bad ^ turned)}
