"""NeuMF.

Printed by dlspec 0.1.0 from specs/recommendation/neumf.dls.
"""

import keras
from keras import layers, ops


class NeuMF(keras.Model):
    """user: int64 [N], item: int64 [N] -> logits: float32 [N, 1]."""

    def __init__(self, users: int = 6040, items: int = 3706, factors: int = 8) -> None:
        super().__init__()
        self.mf_user = layers.Embedding(users, factors)
        self.mf_item = layers.Embedding(items, factors)
        self.mlp_user = layers.Embedding(users, 32)
        self.mlp_item = layers.Embedding(items, 32)
        self.linear1 = layers.Dense(32)
        self.linear2 = layers.Dense(16)
        self.linear3 = layers.Dense(8)
        self.linear4 = layers.Dense(1)

    def call(self, user, item):
        product = self.mf_user(user) * self.mf_item(item)  # [N, factors]
        x = self.mlp_user(user)  # [N, 32]
        h = self.mlp_item(item)  # [N, 32]
        deep = ops.concatenate([x, h], axis=1)  # [N, 64]
        deep = ops.relu(self.linear1(deep))  # [N, 32]
        deep = ops.relu(self.linear2(deep))  # [N, 16]
        deep = ops.relu(self.linear3(deep))  # [N, 8]
        x = ops.concatenate([product, deep], axis=1)  # [N, factors + 8]
        return self.linear4(x)
