class Adadelta(keras.optimizers.Optimizer):
    """Adadelta with coupled weight decay, as PyTorch defines it."""

    def __init__(
        self,
        learning_rate: float,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.rho, self.epsilon, self.decay = rho, epsilon, weight_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.squares = self.add_optimizer_variables(variables, "square")
        self.moved = self.add_optimizer_variables(variables, "moved")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        square, moved = self.squares[index], self.moved[index]
        gradient = gradient + self.decay * variable
        self.assign(square, self.rho * square + (1 - self.rho) * gradient * gradient)
        move = ops.sqrt(moved + self.epsilon) / ops.sqrt(square + self.epsilon) * gradient
        self.assign(moved, self.rho * moved + (1 - self.rho) * move * move)
        self.assign_sub(variable, learning_rate * move)
