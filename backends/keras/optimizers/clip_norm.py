def clipped(gradients: list[Tensor], most: float) -> list[Tensor]:
    """The gradients, together no longer than `most`."""
    found = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in found))
    scale = ops.minimum(most / (norm + 1e-6), 1.0)
    return [None if g is None else scale * tf.convert_to_tensor(g) for g in gradients]
