import numpy as np


def captions(
    seed: int, *, examples: int = 4000, size: int = 16, noise: float = 0.05
) -> dict[str, np.ndarray]:
    """Images of one coloured shape each, and what they show: `large red disc, top left`; `sofar` one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    large, colour, shape, low, right = (
        rng.integers(n, size=examples) for n in (2, 3, 3, 2, 2)
    )
    radius = (rng.uniform(0.12, 0.15, examples) + 0.09 * large)[:, None, None] * size
    places = np.stack([low, right]) + rng.uniform(-0.15, 0.15, (2, examples))
    middle = (0.28 + 0.44 * places)[:, :, None, None] * size
    at = np.arange(size) + 0.5
    down, across = at[None, :, None] - middle[0], at[None, None, :] - middle[1]
    farther = np.maximum(abs(down), abs(across))
    inside = np.choose(
        shape[:, None, None],
        [
            down**2 + across**2 < radius**2,
            farther < radius,
            (farther < radius) & (np.minimum(abs(down), abs(across)) < 0.3 * radius),
        ],
    )
    image = np.zeros((examples, 3, size, size))
    image[np.arange(examples), colour] = inside
    image += noise * rng.standard_normal(image.shape)
    words = [
        np.array(["small", "large"])[large],
        np.array(["red", "green", "blue"])[colour],
        np.array(["disc", "square", "cross"])[shape],
        np.array(["top", "bottom"])[low],
        np.array(["left", "right"])[right],
    ]
    texts = ["{} {} {}, {} {}".format(*each) for each in zip(*words, strict=True)]
    caption = np.array(texts, "U32").view(np.uint32).reshape(-1, 32)
    sofar = np.pad(caption[:, :-1], ((0, 0), (1, 0)))
    return {"image": image, "sofar": sofar, "caption": caption}
