from keras import ops


def topk(x, k: int, axis: int):
    """The k greatest elements in falling order, and where they are."""
    values, index = ops.top_k(ops.moveaxis(x, axis, -1), k)
    index = ops.cast(index, "int64")
    return ops.moveaxis(values, -1, axis), ops.moveaxis(index, -1, axis)
