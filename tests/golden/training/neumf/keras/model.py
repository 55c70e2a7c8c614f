"""NeuMF.

Printed by dlspec 0.1.0 from specs/training/neumf.dls.
"""

import keras
from keras import layers, ops


class Latent(layers.Layer):
    """One of many things as a vector, small at first.

    which: int64 [...] -> float32 [...].
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.embedding = layers.Embedding(count, width)

    def call(self, which):
        return self.embedding(which)


class NeuMF(keras.Model):
    """user: int64 [N], candidates: int64 [N, C] -> logits: float32 [N, C]."""

    def __init__(self, users: int = 400, items: int = 300, factors: int = 8) -> None:
        super().__init__()
        self.latent1 = Latent(users, factors)
        self.latent2 = Latent(items, factors)
        self.latent3 = Latent(users, 16)
        self.latent4 = Latent(items, 16)
        self.linear1 = layers.Dense(16)
        self.linear2 = layers.Dense(8)
        self.linear3 = layers.Dense(1)

    def call(self, user, candidates):
        N = ops.shape(user)[0]
        C = ops.shape(candidates)[1]
        x = self.latent1(user)  # [N, factors]
        product = x[:, None] * self.latent2(candidates)  # [N, C, factors]
        x = self.latent3(user)  # [N, 16]
        mlp_user = x[:, None]  # [N, 1, 16]
        x = ops.broadcast_to(mlp_user, (N, C, 16))  # [N, C, 16]
        h = self.latent4(candidates)  # [N, C, 16]
        deep = ops.concatenate([x, h], axis=2)  # [N, C, 32]
        deep = ops.relu(self.linear1(deep))  # [N, C, 16]
        deep = ops.relu(self.linear2(deep))  # [N, C, 8]
        x = ops.concatenate([product, deep], axis=2)  # [N, C, factors + 8]
        x = self.linear3(x)  # [N, C, 1]
        return ops.squeeze(x, axis=2)
