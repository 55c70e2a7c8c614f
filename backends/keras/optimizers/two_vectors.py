def two_vectors(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Whether it holds two vectors: a GRU has both of its biases in one variable."""
    index = optimizer._get_variable_index(variable)
    return str(optimizer._trainable_variables[index].path).endswith("gru_cell/bias")
