"""DeepFM.

Printed by dlspec 0.1.0 from specs/recommendation/deepfm.dls.
"""

import keras
from keras import layers, ops


def pairwise_interactions(v):
    """The products of all pairs of fields, summed, in linear time: 1/2 sum((sum v)^2
    - sum v^2) (Rendle 2010).

    v: float32 [N, F, K] -> float32 [N, 1].
    """
    x = ops.sum(v, axis=1)  # [N, K]
    h = ops.sum(ops.square(v), axis=1)  # [N, K]
    x = ops.sum(ops.square(x) - h, axis=1, keepdims=True)  # [N, 1]
    return x / 2


class DeepFM(keras.Model):
    """categories: int64 [N, 26], dense: float32 [N, 13] -> logits: float32 [N, 1]."""

    def __init__(self, factors: int = 4) -> None:
        super().__init__()
        self.factors = factors
        self.constant = ops.array(
            [
                0,
                100,
                200,
                300,
                400,
                500,
                600,
                700,
                800,
                900,
                1000,
                1100,
                1200,
                1300,
                1400,
                1500,
                1600,
                1700,
                1800,
                1900,
                2000,
                2100,
                2200,
                2300,
                2400,
                2500,
            ],
            dtype="int64",
        )
        self.latent = layers.Embedding(2600, factors)
        self.weights2 = layers.Embedding(2600, 1)
        self.linear1 = layers.Dense(1, use_bias=False)
        self.linear2 = layers.Dense(256)
        self.linear3 = layers.Dense(128)
        self.linear4 = layers.Dense(1)

    def call(self, categories, dense):
        place = ops.add(categories, self.constant)
        v = self.latent(place)  # [N, 26, factors]
        x = self.weights2(place)  # [N, 26, 1]
        linear = ops.sum(x, axis=1) + self.linear1(dense)  # [N, 1]
        x = ops.reshape(v, (-1, 26 * self.factors))  # [N, 26 * factors]
        deep = ops.concatenate([x, dense], axis=1)  # [N, D]
        deep = ops.relu(self.linear2(deep))  # [N, 256]
        deep = ops.relu(self.linear3(deep))  # [N, 128]
        return linear + pairwise_interactions(v) + self.linear4(deep)
