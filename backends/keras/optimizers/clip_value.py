def clipped(gradients: list[Tensor], most: float) -> list[Tensor]:
    """The gradients, each value within -most and most."""
    return [None if g is None else ops.clip(g, -most, most) for g in gradients]
