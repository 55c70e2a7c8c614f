from keras import layers, ops


class ConvTranspose(layers.Layer):
    """A transposed convolution with any cropping, dilation and groups; channels last.

    Zeros between the elements, then an ordinary convolution with the mirrored kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        strides: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        output_padding: tuple[int, ...],
        dilation: tuple[int, ...],
        groups: int = 1,
        use_bias: bool = True,
    ) -> None:
        super().__init__()
        self.strides, self.dilation, self.groups = strides, dilation, groups
        self.padding, self.output_padding = padding, output_padding
        shape = (*kernel_size, out_channels // groups, in_channels)
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform")
        self.bias = None
        if use_bias:
            self.bias = self.add_weight(shape=(out_channels,), initializer="zeros")

    def call(self, x):
        for axis, stride in enumerate(self.strides, start=1):
            x = self.spread(x, axis, stride)
        around = [(0, 0)]
        for axis, dilation in enumerate(self.dilation):
            reach = dilation * (self.kernel.shape[axis] - 1)
            around.append((reach, reach + self.output_padding[axis]))
        x = ops.pad(x, (*around, (0, 0)))
        kernel = ops.flip(self.kernel, tuple(range(len(self.strides))))
        kernels = ops.split(ops.swapaxes(kernel, -1, -2), self.groups, axis=-2)
        parts = list(ops.split(x, self.groups, axis=-1))
        for i, part in enumerate(parts):
            parts[i] = ops.conv(part, kernels[i], dilation_rate=self.dilation)
        y = ops.concatenate(parts, axis=-1)
        y = y[(slice(None), *(slice(lo, -hi or None) for lo, hi in self.padding))]
        return y if self.bias is None else y + self.bias

    def spread(self, x, axis: int, stride: int):
        """x with stride - 1 zeros between the elements of an axis."""
        if stride == 1:
            return x
        shape = list(ops.shape(x))
        wide = [(0, 0)] * (len(shape) + 1)
        wide[axis + 1] = (0, stride - 1)
        x = ops.pad(ops.expand_dims(x, axis + 1), wide)
        shape[axis] = shape[axis] * stride
        x = ops.reshape(x, shape)
        return x[(slice(None),) * axis + (slice(None, 1 - stride),)]
