"""SentenceCNN.

Printed by dlspec 0.1.0 from specs/training/sentence_cnn.dls.
"""

import keras
from keras import layers, ops


class Embedding(layers.Layer):
    """weight[x]: one learned vector for each number. The weight is [num_embeddings,
    embedding_dim], N(0, 1).

    x: int64 [N, T] -> y: float32 [N, T, embedding_dim].
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int
    ) -> None:
        super().__init__()
        self.padding_idx = padding_idx
        self.num_embeddings = num_embeddings
        self.weight = self.add_weight(
            shape=(num_embeddings, embedding_dim),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, x):
        h = ops.take(self.weight, x, axis=0)  # [N, T, embedding_dim]
        x = ops.equal(x, self.padding_idx % self.num_embeddings)
        x = ops.expand_dims(x, axis=2)  # [N, T, 1]
        return ops.where(x, ops.stop_gradient(h), h)


class SentenceCNN(keras.Model):
    """sentence: int64 [N, T] -> logits: float32 [N, 2]."""

    def __init__(
        self, words: int = 50, width: int = 16, filters: int = 16, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.embedding = Embedding(words, width, padding_idx=0)
        self.conv1 = layers.Conv1D(filters, 2)
        self.conv2 = layers.Conv1D(filters, 3)
        self.conv3 = layers.Conv1D(filters, 4)
        self.dropout = layers.Dropout(dropout)
        self.linear = layers.Dense(2)

    def call(self, sentence):
        x = self.embedding(sentence)  # [N, T, width]
        h = ops.relu(self.conv1(x))  # [N, T - 1, filters]
        y = ops.relu(self.conv2(x))  # [N, T - 2, filters]
        x = ops.relu(self.conv3(x))  # [N, T - 3, filters]
        h = ops.max(h, axis=1)  # [N, filters]
        y = ops.max(y, axis=1)  # [N, filters]
        x = ops.max(x, axis=1)  # [N, filters]
        h = ops.concatenate([h, y, x], axis=1)  # [N, 3 * filters]
        return self.linear(self.dropout(h))
