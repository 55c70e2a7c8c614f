class MatrixDecay(BASE):
    """Biases and norms, which are vectors, do not decay."""

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        decay = self.DECAY
        self.DECAY = decay if len(variable.shape) > 1 else 0.0
        super().update_step(gradient, variable, learning_rate)
        self.DECAY = decay
