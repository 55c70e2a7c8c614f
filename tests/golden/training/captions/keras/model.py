"""ShowAndTell.

Printed by dlspec 0.1.0 from specs/training/captions.dls.
"""

import keras
from keras import layers, ops


class ShowAndTell(keras.Model):
    """image: float32 [N, 3, 16, 16], sofar: int64 [N, T]
    -> logits: float32 [N, T, symbols].
    """

    def __init__(self, symbols: int = 32, width: int = 96) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(16, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(32, 3)
        self.linear1 = layers.Dense(width)
        self.embedding = layers.Embedding(symbols, width)
        self.lstm = layers.LSTM(width, return_sequences=True)
        self.linear2 = layers.Dense(symbols)

    def call(self, image, sofar):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 16, 16, 3]
        x = self.pad(x)  # [N, 18, 18, 3]
        x = ops.relu(self.conv1(x))  # [N, 16, 16, 16]
        x = ops.max_pool(x, 2)  # [N, 8, 8, 16]
        x = self.pad2(x)  # [N, 10, 10, 16]
        x = ops.relu(self.conv2(x))  # [N, 8, 8, 32]
        x = ops.max_pool(x, 2)  # [N, 4, 4, 32]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 32, 4, 4]
        x = ops.reshape(x, (-1, 512))  # [N, 512]
        seen = ops.relu(self.linear1(x))  # [N, width]
        x = self.embedding(sofar) + seen[:, None]  # [N, T, width]
        h = self.lstm(x)
        return self.linear2(h)
