from torch import Tensor


def prod(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The product over several axes."""
    for dim in sorted(dims, reverse=True):
        x = x.prod(dim, keepdim=keepdim)
    return x
