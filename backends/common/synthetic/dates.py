from datetime import date, timedelta

import numpy as np


def dates(seed: int, *, examples: int = 20000) -> dict[str, np.ndarray]:
    """Days of 1900 to 2099 as people write them, and in the standard form; `sofar` is that one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    formats = ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y%m%d"]
    ways = len(formats)
    asked, answers = [], []
    for number in rng.permutation(73049 * ways)[:examples]:
        day = date(1900, 1, 1) + timedelta(days=int(number) // ways)
        asked.append(day.strftime(formats[number % ways]))
        answers.append(day.isoformat())
    answer = np.array(answers, "U12").view(np.uint32).reshape(-1, 12)
    return {
        "asked": np.array(asked, "U20").view(np.uint32).reshape(-1, 20),
        "sofar": np.pad(answer[:, :-1], ((0, 0), (1, 0))),
        "answer": answer,
    }
