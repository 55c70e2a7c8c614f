class NAdam(keras.optimizers.Optimizer):
    """Adam with Nesterov's momentum, as PyTorch defines it."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
    ) -> None:
        super().__init__(learning_rate)
        self.betas, self.epsilon, self.decay = betas, epsilon, weight_decay
        self.momentum_decay = momentum_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.means = self.add_optimizer_variables(variables, "mean")
        self.squares = self.add_optimizer_variables(variables, "square")
        self.products = self.add_optimizer_variables(variables, "product", "ones")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        mean, square, product = (slot[index] for slot in (self.means, self.squares, self.products))
        beta1, beta2 = self.betas
        gradient = gradient + self.decay * variable
        step = ops.cast(self.iterations + 1, variable.dtype)
        now, later = self.share(step), self.share(step + 1)
        self.assign(product, product * now)
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        correction = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        move = later * mean / (1 - product * later)
        move = move + (1 - now) * gradient / (1 - product)
        root = ops.sqrt(square / correction) + self.epsilon
        self.assign_sub(variable, learning_rate * move / root)

    def share(self, step: Tensor) -> Tensor:
        """How much of the momentum is kept in a step, which rises slowly."""
        return self.betas[0] * (1 - 0.5 * ops.exp(math.log(0.96) * self.momentum_decay * step))
