def in_halves(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All groups twice: their matrices, then biases and norms, which are vectors and do not decay."""
    matrices = [{**g, "params": [p for p in g["params"] if p.ndim > 1]} for g in groups]
    vectors = [{**g, "params": [p for p in g["params"] if p.ndim <= 1]} for g in groups]
    return [*matrices, *({**g, "weight_decay": 0.0} for g in vectors)]
