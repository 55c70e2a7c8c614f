from keras import layers, ops


class BatchNorm(layers.BatchNormalization):
    """Batch normalisation that can be differentiated twice.

    The running variance is unbiased, as in PyTorch.
    """

    def __init__(self, momentum=0.1, epsilon=1e-5, affine=True) -> None:
        super().__init__(-1, 1 - momentum, epsilon, center=affine, scale=affine)

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        before = ops.copy(self.moving_variance)
        # A variance of Keras takes its mean for constant: here that is zero.
        mean = ops.mean(inputs, tuple(range(len(inputs.shape) - 1)))
        outputs = super().call(inputs - mean, training=training, mask=mask)
        self.moving_mean.assign(self.moving_mean + (1 - self.momentum) * mean)
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], before.dtype)
        new = self.moving_variance - self.momentum * before
        unbiased = self.momentum * before + new * count / (count - 1)
        self.moving_variance.assign(unbiased)
        return outputs
