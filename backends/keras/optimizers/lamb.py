class LAMB(keras.optimizers.Optimizer):
    """Adam whose step is as long as the weight, times the rate (You et al. 2020).

    Keras' own has its weight decay outside of the ratio.
    """

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-6,
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
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        # 1 - beta ** step, by expm1: in single precision a power loses most of it.
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction1 = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        correction2 = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        root = ops.sqrt(square / correction2) + self.epsilon
        move = mean / (correction1 * root) + self.decay * variable
        size, length = ops.norm(variable), ops.norm(move)
        some = ops.logical_and(size > 0, length > 0)
        ratio = ops.where(some, size / ops.where(some, length, ops.ones_like(length)), ops.ones_like(size))
        self.assign_sub(variable, learning_rate * ratio * move)
