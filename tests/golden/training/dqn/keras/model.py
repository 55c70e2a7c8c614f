"""QNetwork.

Printed by dlspec 0.1.0 from specs/training/dqn.dls.
"""

import keras
from keras import layers, ops


class QNetwork(keras.Model):
    """state: float32 [N, 4] -> values: float32 [N, actions]."""

    def __init__(self, actions: int = 2, width: int = 128) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(actions)

    def call(self, state):
        x = ops.relu(self.linear1(state))  # [N, width]
        x = ops.relu(self.linear2(x))
        return self.linear3(x)
