class AdamW(Adam):
    """Adam that takes weight decay from the weights themselves, not by the gradient."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, betas, epsilon)
        self.decoupled = weight_decay

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        self.assign_sub(variable, learning_rate * self.decoupled * variable)
        super().update_step(gradient, variable, learning_rate)
