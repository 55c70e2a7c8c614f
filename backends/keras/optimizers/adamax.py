class Adamax(keras.optimizers.Optimizer):
    """Adamax as PyTorch defines it: Keras' own has epsilon elsewhere."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.betas, self.epsilon, self.decay = betas, epsilon, weight_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.means = self.add_optimizer_variables(variables, "mean")
        self.largest = self.add_optimizer_variables(variables, "largest")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        mean, largest = self.means[index], self.largest[index]
        beta1, beta2 = self.betas
        gradient = gradient + self.decay * variable
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(largest, ops.maximum(beta2 * largest, ops.abs(gradient) + self.epsilon))
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        self.assign_sub(variable, learning_rate / correction * mean / largest)
