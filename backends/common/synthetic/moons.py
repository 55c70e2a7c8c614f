import numpy as np


def moons(
    seed: int, *, examples: int = 1000, noise: float = 0.1, rotation: float = 35.0
) -> dict[str, np.ndarray]:
    """Two half moons, and the same drawn anew and turned by `rotation` degrees: another domain."""

    def draw(domain: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.Generator(np.random.Philox(key=[seed, domain]))
        label = np.arange(examples) % 2
        angle = rng.random(examples) * np.pi
        upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
        points = np.where(label[:, None] == 0, upper, lower)
        return points + noise * rng.standard_normal((examples, 2)), label

    turn = np.deg2rad(rotation)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    center = np.array([0.5, 0.25])
    (point, label), (other, target_label) = draw(0), draw(1)
    target = (other - center) @ rotate.T + center
    return {
        "point": point,
        "label": label,
        "target": target,
        "target_label": target_label,
    }
