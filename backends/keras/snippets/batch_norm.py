from keras import layers, ops


class BatchNorm(layers.BatchNormalization):
    """Batch normalisation whose running variance is unbiased, as in PyTorch."""

    def __init__(
        self, momentum: float = 0.1, epsilon: float = 1e-5, affine: bool = True
    ) -> None:
        super().__init__(
            momentum=1 - momentum, epsilon=epsilon, center=affine, scale=affine
        )

    def call(self, inputs, training=None, mask=None):
        before = ops.copy(self.moving_variance)
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            count = ops.cast(ops.size(inputs) // inputs.shape[-1], before.dtype)
            new = self.moving_variance - self.momentum * before
            self.moving_variance.assign(
                self.momentum * before + new * count / (count - 1)
            )
        return outputs
