"""What the numbers of a model of texts stand for, as the training kept it beside its weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlspec.diagnostics import fail
from dlspec.runtime.kept import SYMBOLS, TOKENS, read_kept, read_tokenizer


class Characters:
    """The symbols of ``vocabulary.json``: a character each, number 0 for others or, where it is "", for the end."""

    def __init__(self, path: Path) -> None:
        self.symbols: list[str] = read_kept(path)
        if not isinstance(self.symbols, list) or not self.symbols:
            raise fail("DLS0738", f"`{path}` is no list of symbols", hint="train again, or copy it anew")
        self.size, self.ends = len(self.symbols), not self.symbols[0]
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> list[int]:
        """The characters as numbers; those that the vocabulary lacks as 0."""
        return [self.numbers.get(character, 0) for character in text]

    def decode(self, numbers: Sequence[int]) -> str:
        return "".join(self.symbols[number] for number in numbers)


class Tokens:
    """The tokens of ``tokenizer.json``; number 0 is none, and ends an answer."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = read_tokenizer(path)
        self.size: int = self.tokenizer.get_vocab_size()
        self.ends = True

    def encode(self, text: str) -> list[int]:
        """The text as tokens: every text has some."""
        return list(self.tokenizer.encode(text).ids)

    def decode(self, numbers: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(numbers)))


def read_symbols(weights: Path) -> Characters | Tokens:
    """What the numbers of a model stand for, as the training kept it beside its weights."""
    for file, kind in ((TOKENS, Tokens), (SYMBOLS, Characters)):
        if weights.with_name(file).is_file():
            return kind(weights.with_name(file))
    raise fail("DLS0723", f"there is no `{SYMBOLS}` or `{TOKENS}` beside the weights, `{weights}`",
               hint="give weights in the folder of a training that has a `vocabulary`")  # fmt: skip
