from keras import layers, ops


class LayerNorm(layers.LayerNormalization):
    """Layer normalisation that can be differentiated twice."""

    def call(self, inputs):
        # A variance of Keras takes its mean for constant: here that is zero.
        return super().call(inputs - ops.mean(inputs, self.axis, keepdims=True))
