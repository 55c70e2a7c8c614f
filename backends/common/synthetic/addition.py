import numpy as np


def addition(
    seed: int, *, examples: int = 20000, digits: int = 3
) -> dict[str, np.ndarray]:
    """Sums, `017+485`, and what they come to from the last digit on, `2050`; `sofar` is the answer one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    pairs = np.divmod(rng.permutation(100**digits)[:examples], 10**digits)
    asked, answers = [], []
    for a, b in zip(*pairs, strict=True):
        asked.append(f"{a:0{digits}}+{b:0{digits}}")
        answers.append(f"{a + b:0{digits + 1}}"[::-1])
    answer = np.array(answers, "U12").view(np.uint32).reshape(-1, 12)
    return {
        "asked": np.array(asked, "U20").view(np.uint32).reshape(-1, 20),
        "sofar": np.pad(answer[:, :-1], ((0, 0), (1, 0))),
        "answer": answer,
    }
