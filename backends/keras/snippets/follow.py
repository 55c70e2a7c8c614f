import keras


def follow(target: keras.Model, source: keras.Model, rate: float) -> None:
    """Move the weights of a model part of the way to those of another."""
    for weight, goal in zip(target.weights, source.weights, strict=True):
        weight.assign(weight + rate * (goal - weight))
