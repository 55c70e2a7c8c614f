class RMSprop(keras.optimizers.Optimizer):
    """RMSprop as PyTorch defines it: Keras' own has epsilon inside the root."""

    def __init__(
        self,
        learning_rate: float,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(learning_rate)
        self.alpha, self.epsilon, self.decay = alpha, epsilon, weight_decay
        self.momentum, self.centered = momentum, centered

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.squares = self.add_optimizer_variables(variables, "square")
        self.means = self.add_optimizer_variables(variables, "mean")
        self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        square, mean = self.squares[index], self.means[index]
        velocity = self.velocities[index]
        gradient = gradient + self.decay * variable
        alpha = self.alpha
        self.assign(square, alpha * square + (1 - alpha) * gradient * gradient)
        variance = square
        if self.centered:
            self.assign(mean, alpha * mean + (1 - alpha) * gradient)
            variance = square - mean * mean
        step = gradient / (ops.sqrt(variance) + self.epsilon)
        self.assign(velocity, self.momentum * velocity + step)
        self.assign_sub(variable, learning_rate * velocity)
