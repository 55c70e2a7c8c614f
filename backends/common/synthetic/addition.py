import numpy as np


def addition(
    seed: int, *, examples: int = 20000, below: int = 1000
) -> dict[str, np.ndarray]:
    """Sums as they are written, `17+485`, and what they come to; `sofar` is the answer one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    a, b = np.divmod(rng.permutation(below * below)[:examples], below)
    sums = [f"{first}+{second}" for first, second in zip(a, b, strict=True)]
    asked = np.array(sums, "U20").view(np.uint32).reshape(-1, 20)
    answer = (a + b).astype("U12").view(np.uint32).reshape(-1, 12)
    sofar = np.pad(answer[:, :-1], ((0, 0), (1, 0)))
    return {"asked": asked, "sofar": sofar, "answer": answer}
