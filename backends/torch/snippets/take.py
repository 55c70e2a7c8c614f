from torch import Tensor


def take(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """Slices of x along an axis, which is replaced by the axes of the index."""
    picked = x.index_select(dim, index.flatten().long())
    return picked.reshape(*x.shape[:dim], *index.shape, *x.shape[dim + 1 :])
