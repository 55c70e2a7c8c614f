"""DeepFM.

Printed by dlspec 0.1.0 from specs/training/deepfm.dls.
"""

import keras
from keras import layers, ops


def pairwise_interactions(v):
    """The products of all pairs of fields, summed, in linear time: 1/2 sum((sum v)^2
    - sum v^2) (Rendle 2010).

    v: float32 [C * N, F, K] -> float32 [C * N, 1].
    """
    x = ops.sum(v, axis=1)  # [C * N, K]
    h = ops.sum(ops.square(v), axis=1)  # [C * N, K]
    x = ops.sum(ops.square(x) - h, axis=1, keepdims=True)  # [C * N, 1]
    return x / 2


class DeepFM(keras.Model):
    """user: int64 [N], item: int64 [N, C], genre: int64 [N, C], popularity: float32
    [N, C]
    -> logits: float32 [N, C].
    """

    def __init__(
        self, users: int = 400, items: int = 300, genres: int = 8, factors: int = 8
    ) -> None:
        super().__init__()
        self.users = users
        self.items = items
        self.factors = factors
        self.latent = layers.Embedding(genres + items + users, factors)
        self.weights2 = layers.Embedding(genres + items + users, 1)
        self.linear1 = layers.Dense(1, use_bias=False)
        self.linear2 = layers.Dense(64)
        self.linear3 = layers.Dense(32)
        self.linear4 = layers.Dense(1)

    def call(self, user, item, genre, popularity):
        N = ops.shape(user)[0]
        C = ops.shape(item)[1]
        who = ops.broadcast_to(user[:, None], (N, C))  # [N, C]
        x = ops.add(self.items + self.users, genre)
        x = ops.stack([who, ops.add(self.users, item), x], axis=2)  # [N, C, 3]
        place = ops.reshape(x, (-1, 3))  # [C * N, 3]
        dense = ops.reshape(popularity, (-1, 1))  # [C * N, 1]
        v = self.latent(place)  # [C * N, 3, factors]
        x = self.weights2(place)  # [C * N, 3, 1]
        linear = ops.sum(x, axis=1) + self.linear1(dense)
        x = ops.reshape(v, (-1, 3 * self.factors))  # [C * N, 3 * factors]
        deep = ops.concatenate([x, dense], axis=1)  # [C * N, 3 * factors + 1]
        deep = ops.relu(self.linear2(deep))  # [C * N, 64]
        deep = ops.relu(self.linear3(deep))  # [C * N, 32]
        x = linear + pairwise_interactions(v) + self.linear4(deep)
        return ops.reshape(x, (N, C))
