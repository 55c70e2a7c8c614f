from keras import ops


def local_response_norm(
    x, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
):
    """Each channel damped by the squares of `size` neighbours; channels last."""
    channels, spatial = x.shape[-1], len(x.shape) - 1
    reach = (size // 2, (size - 1) // 2)
    squares = ops.pad(ops.square(x), ((0, 0),) * spatial + (reach,))
    total = sum(squares[..., i : i + channels] for i in range(size))
    return x / (k + alpha / size * total) ** beta
