"""DQN: Conv32-8/4 - Conv64-4/2 - Conv64-3/1 - Dense512 - one value an action.

Printed by dlspec 0.1.0 from specs/decisions/dqn.dls.
"""

import keras
from keras import layers, ops


class DQN(keras.Model):
    """frames: float32 [N, 4, 84, 84] -> values: float32 [N, actions]."""

    def __init__(self, actions: int = 4) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(32, 8, strides=4)
        self.conv2 = layers.Conv2D(64, 4, strides=2)
        self.conv3 = layers.Conv2D(64, 3)
        self.linear1 = layers.Dense(512)
        self.linear2 = layers.Dense(actions)

    def call(self, frames):
        x = ops.transpose(frames, (0, 2, 3, 1))  # [N, 84, 84, 4]
        x = ops.relu(self.conv1(x))  # [N, 20, 20, 32]
        x = ops.relu(self.conv2(x))  # [N, 9, 9, 64]
        x = ops.relu(self.conv3(x))  # [N, 7, 7, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 7, 7]
        x = ops.reshape(x, (-1, 3136))  # [N, 3136]
        x = ops.relu(self.linear1(x))  # [N, 512]
        return self.linear2(x)
