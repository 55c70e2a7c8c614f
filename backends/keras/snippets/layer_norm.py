from keras import layers, ops


class LayerNorm(layers.LayerNormalization):
    """Layer normalisation, differentiable twice: in a variance Keras takes the mean for constant, but not here."""

    def call(self, inputs):
        return super().call(inputs - ops.mean(inputs, self.axis, keepdims=True))
