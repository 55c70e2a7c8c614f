import numpy as np


def reversal(
    seed: int, *, examples: int = 12000, shortest: int = 3, longest: int = 10
) -> dict[str, np.ndarray]:
    """Words of random letters, and the same words from back to front; `sofar` is the answer one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    letters = rng.integers(ord("a"), ord("z") + 1, (examples, longest))
    lengths = rng.integers(shortest, longest + 1, examples)
    rows = zip(letters, lengths, strict=True)
    words = [*dict.fromkeys("".join(map(chr, row[:n])) for row, n in rows)]
    asked = np.array(words, "U20").view(np.uint32).reshape(-1, 20)
    turned = [word[::-1] for word in words]
    answer = np.array(turned, "U12").view(np.uint32).reshape(-1, 12)
    sofar = np.pad(answer[:, :-1], ((0, 0), (1, 0)))
    return {"asked": asked, "sofar": sofar, "answer": answer}
