from keras import ops


class CentredBatchNorm(BatchNorm):
    """Batch normalisation that can be differentiated twice."""

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        # A variance of Keras takes its mean for constant: here that is zero.
        mean = ops.mean(inputs, tuple(range(len(inputs.shape) - 1)))
        outputs = super().call(inputs - mean, training=training, mask=mask)
        self.moving_mean.assign(self.moving_mean + (1 - self.momentum) * mean)
        return outputs
