class Adagrad(keras.optimizers.Optimizer):
    """Adagrad as published: Keras' own has epsilon inside the root."""

    def __init__(
        self,
        learning_rate: float,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial: float = 0.0,
        epsilon: float = 1e-10,
    ) -> None:
        super().__init__(learning_rate)
        self.lr_decay, self.decay = lr_decay, weight_decay
        self.initial, self.epsilon = initial, epsilon

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        start = keras.initializers.Constant(self.initial)
        self.sums = self.add_optimizer_variables(variables, "sum", start)

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        total = self.sums[self._get_variable_index(variable)]
        gradient = gradient + self.decay * variable
        self.assign_add(total, gradient * gradient)
        step = ops.cast(self.iterations, variable.dtype)
        rate = learning_rate / (1 + self.lr_decay * step)
        self.assign_sub(variable, rate * gradient / (ops.sqrt(total) + self.epsilon))
