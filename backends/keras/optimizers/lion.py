class Lion(keras.optimizers.Optimizer):
    """Steps along the sign of an average of gradients (Chen et al. 2023)."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.betas, self.decay = betas, weight_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.means = self.add_optimizer_variables(variables, "mean")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        gradient = tf.convert_to_tensor(gradient)  # of an embedding it is some rows
        mean = self.means[self._get_variable_index(variable)]
        beta1, beta2 = self.betas
        sign = ops.sign(beta1 * mean + (1 - beta1) * gradient)
        self.assign(mean, beta2 * mean + (1 - beta2) * gradient)
        self.assign_sub(variable, learning_rate * (sign + self.decay * variable))
