class Adam(keras.optimizers.Optimizer):
    """Adam as published: Keras' own adds epsilon before it corrects the bias."""

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
        self.squares = self.add_optimizer_variables(variables, "square")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        mean, square = self.means[index], self.squares[index]
        beta1, beta2 = self.betas
        gradient = gradient + self.decay * variable
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        # 1 - beta ** step, by expm1: in single precision a power loses most of it.
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction1 = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        correction2 = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        root = ops.sqrt(square / correction2) + self.epsilon
        self.assign_sub(variable, learning_rate * mean / (correction1 * root))
