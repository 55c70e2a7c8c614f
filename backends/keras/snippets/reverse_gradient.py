from keras import ops


def reverse_gradient(x, scale: float):
    """x on the way forward; -scale times the gradient on the way back."""

    @ops.custom_gradient
    def reverse(x):
        def gradient(*args, upstream=None):
            return -scale * (args[0] if upstream is None else upstream)

        return x, gradient

    return reverse(x)
