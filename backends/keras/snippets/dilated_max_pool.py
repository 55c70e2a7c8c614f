import itertools

from keras import ops


def dilated_max_pool(
    x, size: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
):
    """The largest of each window whose elements lie `dilation` apart; channels last."""
    result = None
    for place in itertools.product(*map(range, size)):
        index = [slice(None)]
        for axis, at in enumerate(place):
            after = dilation[axis] * (size[axis] - 1 - at)
            index.append(slice(dilation[axis] * at, -after or None, strides[axis]))
        part = x[tuple(index)]
        result = part if result is None else ops.maximum(result, part)
    return result
