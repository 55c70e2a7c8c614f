def clipped(gradients: list[Tensor], most: float) -> list[Tensor]:
    """The gradients, each value within -most and most."""
    found = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
    return [None if g is None else ops.clip(g, -most, most) for g in found]
