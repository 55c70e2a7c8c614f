def decay_groups(parameters: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    """Parameters in two groups: biases and norms, which are vectors, do not decay."""
    every = list(parameters)
    matrices = [each for each in every if each.ndim > 1]
    vectors = [each for each in every if each.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
