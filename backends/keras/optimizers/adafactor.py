class Adafactor(keras.optimizers.Optimizer):
    """Remembers row and column means of a matrix of squares (Shazeer and Stern 2018).

    Keras' own also factors convolutions, along axes that depend on their layout.
    """

    def __init__(
        self,
        learning_rate: float,
        epsilon: float = 1e-3,
        clip: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.epsilon, self.clip, self.decay = epsilon, clip, weight_decay

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.rows, self.columns, self.squares = [], [], []
        for variable in variables:
            rows, *rest = variable.shape or (1,)
            matrix = len(rest) == 1
            shapes = [(rows, 1), (1, *rest)] if matrix else [(), ()]
            self.rows.append(self.slot(shapes[0], variable))
            self.columns.append(self.slot(shapes[1], variable))
            self.squares.append(self.slot(() if matrix else variable.shape, variable))

    def slot(self, shape: tuple[int, ...], variable: keras.Variable) -> keras.Variable:
        """Something to remember of a variable, zero at first."""
        return self.add_variable(shape, "zeros", variable.dtype, name="square")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, variable.dtype)
        share, new = ops.exp(-0.8 * ops.log(step)), ops.square(gradient) + 1e-30
        if len(variable.shape) == 2:
            rows, columns = self.rows[index], self.columns[index]
            self.assign(rows, rows + share * (ops.mean(new, 1, keepdims=True) - rows))
            self.assign(columns, columns + share * (ops.mean(new, 0, keepdims=True) - columns))
            square = rows * (columns / ops.mean(rows))
        else:
            square = self.squares[index]
            self.assign(square, square + share * (new - square))
        move = gradient / ops.sqrt(square)
        size = ops.maximum(ops.sqrt(ops.mean(ops.square(variable))), self.epsilon)
        excess = ops.maximum(ops.sqrt(ops.mean(ops.square(move))) / self.clip, 1.0)
        rate = size * ops.minimum(learning_rate, 1 / ops.sqrt(step)) / excess
        self.assign(variable, variable * (1 - learning_rate * self.decay) - rate * move)
