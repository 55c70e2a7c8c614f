def clipped(gradients: list[Tensor], most: Tensor) -> list[Tensor]:
    """The gradients, each value within -most and most; one that is not finite still says so."""
    found = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
    return [
        None if g is None else ops.where(ops.isfinite(g), ops.clip(g, -most, most), g)
        for g in found
    ]
