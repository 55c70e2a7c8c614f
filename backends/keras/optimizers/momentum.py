class Momentum(keras.optimizers.Optimizer):
    """Steps delta = a * delta + (1 - a) * lr * gradient, from delta = 0."""

    def __init__(self, learning_rate: float, momentum: float) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.deltas = self.add_optimizer_variables(variables, "delta")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        delta = self.deltas[self._get_variable_index(variable)]
        a = self.momentum
        self.assign(delta, a * delta + (1 - a) * learning_rate * gradient)
        self.assign_sub(variable, delta)
