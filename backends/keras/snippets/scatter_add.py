from keras import ops


def scatter_add(x, index, source, axis: int):
    """x with source added along an axis at the places that index names."""
    places = ops.one_hot(ops.moveaxis(index, axis, -1), x.shape[axis], dtype=x.dtype)
    total = ops.einsum("...k,...kn->...n", ops.moveaxis(source, axis, -1), places)
    return x + ops.moveaxis(total, -1, axis)
