"""Reference: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache
from pydoc_data.topics import topics

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Decoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

Columns = dict[str, np.ndarray]

NAME = "Reference"
SEED = 0
SPLIT = {"train": 0.9, "test": 0.1}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    text = "\n\n".join(topics.values())
    blocks = [text[start : start + 1024] for start in range(0, len(text), 1024)]
    return {"text": np.array(blocks)}


@cache
def tokenizer() -> Tokenizer:
    """Up to 512 tokens: bytes, and pairs that are frequent in the training part; number 0 is none."""
    made = Tokenizer(BPE())
    made.pre_tokenizer, made.decoder = ByteLevel(add_prefix_space=False), Decoder()
    trainer = BpeTrainer(
        vocab_size=512,
        special_tokens=[""],
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    columns = examples("train")
    made.train_from_iterator(columns["text"].tolist(), trainer)
    return made


def encode(columns: Columns) -> Columns:
    """The blocks, one after the other, as tokens, in pieces."""
    numbers = np.array(tokenizer().encode("".join(columns["text"].tolist())).ids)
    if len(numbers) < 65:
        raise ValueError(
            f"a part of the text has {len(numbers)} tokens, which make no piece"
        )
    pieces = sliding_window_view(numbers, 65)[::64]
    encoded = {
        "text": pieces[:, 0:64],
        "next": pieces[:, 1:65],
    }
    # Each character of a token's name stands for a byte.
    names = map(tokenizer().id_to_token, range(tokenizer().get_vocab_size()))
    sizes = np.array([len(name) for name in names])
    encoded["size"] = sizes[encoded["next"]].sum(axis=1)
    return encoded


def examples(split: str) -> Columns:
    """The examples of one split, as the source has them."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    ends = [math.floor(end * total + 1e-6) for end in np.cumsum([*SPLIT.values()])]
    parts = np.split(permutation(total, f"{SEED}:{NAME}"), ends)
    rows = parts[[*SPLIT].index(split)]
    rows = np.sort(rows)  # in the order of the text
    return {name: values[rows] for name, values in columns.items()}


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    return encode(examples(split))


def batches(
    columns: Columns, size: int, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; the last batch may be small."""
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    for start in range(0, total, size):
        rows = order[start : start + size]
        yield {name: values[rows] for name, values in columns.items()}


def count(columns: Columns) -> int:
    """How many examples there are; ValueError where columns disagree."""
    counts = {name: len(values) for name, values in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"columns differ in their number of examples: {counts}")
    return next(iter(counts.values()))


def permutation(total: int, stream: str) -> np.ndarray:
    """The order given by a named stream of random words: the same on every machine."""
    key = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:16], "little")
    return np.argsort(np.random.Philox(key=key).random_raw(total), kind="stable")
