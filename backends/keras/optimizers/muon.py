class Muon(keras.optimizers.Optimizer):
    """Moves matrices along near-orthogonal matrices, all else as AdamW does.

    The factor of 0.2 and root: Liu et al. 2025.
    """

    def __init__(
        self,
        learning_rate: float,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        nesterov: bool = True,
        iterations: int = 5,
        betas: tuple[float, float] = (0.9, 0.95),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.momentum, self.nesterov, self.rounds = momentum, nesterov, iterations
        self.betas, self.epsilon, self.decay = betas, epsilon, weight_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.means = self.add_optimizer_variables(variables, "mean")
        self.squares = self.add_optimizer_variables(variables, "square")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        rule = self.matrix if len(variable.shape) == 2 else self.adam
        move = rule(gradient, self._get_variable_index(variable))
        self.assign_sub(variable, learning_rate * (move + self.decay * variable))

    def matrix(self, gradient: Tensor, index: int) -> Tensor:
        """The step of a matrix."""
        mean, a = self.means[index], self.momentum
        self.assign(mean, a * mean + (1 - a) * gradient)
        x = a * mean + (1 - a) * gradient if self.nesterov else ops.convert_to_tensor(mean)
        rows, columns = mean.shape
        x = ops.transpose(x) if rows > columns else x
        x = x / ops.maximum(ops.sqrt(ops.sum(ops.square(x))), 1e-7)
        for _ in range(self.rounds):
            square = x @ ops.transpose(x)
            x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
        return 0.2 * max(rows, columns) ** 0.5 * (ops.transpose(x) if rows > columns else x)

    def adam(self, gradient: Tensor, index: int) -> Tensor:
        """The step of any other weight."""
        mean, square = self.means[index], self.squares[index]
        beta1, beta2 = self.betas
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        step = ops.cast(self.iterations + 1, mean.dtype)
        correction1 = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        correction2 = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        return mean / (correction1 * (ops.sqrt(square / correction2) + self.epsilon))
