"""DANN: `strength` is the paper's lambda, by which the reversed gradient is
multiplied.

Printed by dlspec 0.1.0 from specs/adaptation/dann.dls.
"""

import keras
from keras import layers, ops


def reverse_gradient(x, scale: float):
    """x on the way forward; -scale times the gradient on the way back."""

    @ops.custom_gradient
    def reverse(x):
        def gradient(*args, upstream=None):
            return -scale * (args[0] if upstream is None else upstream)

        return x, gradient

    return reverse(x)


class Features(layers.Layer):
    """Conv32-5 - pool - Conv48-5 - pool: [N, 3, 28, 28] to [N, 768].

    image: float32 [N, H, W, C] -> float32 [N, D].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(32, 5)
        self.conv2 = layers.Conv2D(48, 5)

    def call(self, image):
        x = ops.relu(self.conv1(image))  # [N, H - 4, W - 4, 32]
        x = ops.max_pool(x, 2)  # [N, H', W', 32]
        x = ops.relu(self.conv2(x))  # [N, H'', W'', 48]
        x = ops.max_pool(x, 2)  # [N, H''', W''', 48]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 48, W''', C']
        return ops.reshape(x, (-1, 768))


class LabelPredictor(layers.Layer):
    """From features to the digit.

    features: float32 [N, 768] -> float32 [N, classes].
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(100)
        self.linear2 = layers.Dense(100)
        self.linear3 = layers.Dense(classes)

    def call(self, features):
        x = ops.relu(self.linear1(features))  # [N, 100]
        x = ops.relu(self.linear2(x))
        return self.linear3(x)


class DomainClassifier(layers.Layer):
    """From features to the log-odds of the target domain.

    features: float32 [N, 768] -> float32 [N, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = layers.Dense(100)
        self.linear2 = layers.Dense(1)

    def call(self, features):
        x = ops.relu(self.linear1(features))  # [N, 100]
        return self.linear2(x)


class DANN(keras.Model):
    """image: float32 [N, 3, 28, 28]
    -> label: float32 [N, classes], domain: float32 [N, 1].
    """

    def __init__(self, classes: int = 10, strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength
        self.features = Features()
        self.label_predictor = LabelPredictor(classes)
        self.domain_classifier = DomainClassifier()

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 28, 28, 3]
        features = self.features(x)  # [N, 768]
        label = self.label_predictor(features)  # [N, classes]
        domain = self.domain_classifier(reverse_gradient(features, self.strength))
        return label, domain
