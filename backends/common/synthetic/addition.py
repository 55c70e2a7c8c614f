import numpy as np


def addition(
    seed: int, *, examples: int = 30000, digits: int = 3
) -> dict[str, np.ndarray]:
    """Different sums such as 347+085, and what they come to, 0432; `sofar` is that one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    a, b = np.divmod(rng.permutation(100**digits)[:examples], 10**digits)
    asked = [f"{x:0{digits}}+{y:0{digits}}" for x, y in zip(a, b, strict=True)]
    answers = [f"{total:0{digits + 1}}" for total in a + b]
    answer = np.array(answers).view(np.uint32).reshape(-1, digits + 1)
    return {
        "asked": np.array(asked).view(np.uint32).reshape(len(asked), -1),
        "sofar": np.pad(answer[:, :-1], ((0, 0), (1, 0))),
        "answer": answer,
    }
