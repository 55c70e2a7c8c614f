import numpy as np


def scenes(
    seed: int, *, examples: int = 1000, size: int = 32, noise: float = 0.05
) -> dict[str, np.ndarray]:
    """Grey images, lit from one side, of one disc, square, triangle and cross each; `mask` says where the first three
    are (1, 2 and 3) and calls the cross background. What is drawn later covers what was there."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    at = np.arange(size) + 0.5
    x, y = at[None, None, :], at[None, :, None]
    slope = rng.uniform(-0.4, 0.4, (2, examples, 1, 1)) / size
    light = 0.3 + slope[0] * (x - size / 2) + slope[1] * (y - size / 2)
    image = light
    mask = np.zeros((examples, size, size), np.int64)
    order = rng.permuted(np.tile(np.arange(4), (examples, 1)), axis=1)
    for kind in order.T:
        radius = rng.uniform(0.12, 0.22, (examples, 1, 1)) * size
        middle = rng.uniform(0.2, 0.8, (2, examples, 1, 1)) * size
        shade = rng.uniform(0.25, 0.5, (examples, 1, 1))
        across, down = abs(x - middle[0]), y - middle[1]
        farther = np.maximum(across, abs(down))
        inside = np.choose(
            kind[:, None, None],
            [
                across**2 + down**2 < radius**2,
                farther < 0.85 * radius,
                (down < 0.8 * radius) & (2 * across < down + radius),
                (farther < radius) & (np.minimum(across, abs(down)) < 0.3 * radius),
            ],
        )
        image = np.where(inside, light + shade, image)
        mask = np.where(inside, (kind[:, None, None] + 1) % 4, mask)
    image += noise * rng.standard_normal(image.shape)
    return {"image": image[:, None], "mask": mask}
