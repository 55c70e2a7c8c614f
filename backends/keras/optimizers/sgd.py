class SGD(keras.optimizers.Optimizer):
    """Gradient descent with momentum and coupled weight decay, as PyTorch defines them."""

    def __init__(
        self,
        learning_rate: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate)
        self.momentum, self.dampening = momentum, dampening
        self.decay, self.nesterov = weight_decay, nesterov

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        gradient = gradient + self.decay * variable
        # The first gradient is taken whole.
        damped = self.dampening * ops.cast(self.iterations > 0, variable.dtype)
        self.assign(velocity, self.momentum * velocity + (1 - damped) * gradient)
        step = gradient + self.momentum * velocity if self.nesterov else velocity
        self.assign_sub(variable, learning_rate * step)
