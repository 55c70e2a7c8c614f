import keras
from keras import ops


class Again(keras.Layer):
    """A block, computed again in the backward pass with the random numbers that it drew before."""

    def __init__(self, block: keras.Layer) -> None:
        super().__init__()
        self.compute = block.call
        inner = block._flatten_layers()
        drawing = [x.seed_generator for x in inner if getattr(x, "seed_generator", None)]
        self.states = [generator.state for generator in drawing]

    def call(self, *inputs: Any, start: Any = None, training: bool = False) -> Any:
        now = [state + 0 for state in self.states]
        if start is None:
            return keras.remat(lambda *x: self(*x, start=now, training=training))(*inputs)
        for state, value in zip(self.states, start):
            state.assign(value)
        result = self.compute(*inputs)
        for state, value in zip(self.states, now):
            state.assign(ops.maximum(state, value))  # what follows draws other numbers
        return result
