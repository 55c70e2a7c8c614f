"""Printing the columns of names and of texts of ``data.py``: categories, and symbols of a vocabulary."""

from __future__ import annotations

from typing import Any

from dlspec.elaborate.vocabulary import text_columns
from dlspec.emit.code import Code, literal, quoted
from dlspec.ir.data import DataSet
from dlspec.ir.types import TensorType

TEXTS = ("from collections.abc import Sequence", "from typing import Any")
TOKENIZERS = {
    "bpe": (
        "from tokenizers import Tokenizer", "from tokenizers.decoders import ByteLevel as Decoder",
        "from tokenizers.models import BPE", "from tokenizers.pre_tokenizers import ByteLevel",
        "from tokenizers.trainers import BpeTrainer",
    ),
    "words": (
        "from tokenizers import Tokenizer", "from tokenizers.models import WordLevel",
        "from tokenizers.pre_tokenizers import Whitespace", "from tokenizers.trainers import WordLevelTrainer",
    ),
}  # fmt: skip
"""The import lines by the kind of a vocabulary, where its symbols are tokens."""
PIECES = ("from numpy.lib.stride_tricks import sliding_window_view",)


def in_tokens(data: DataSet) -> bool:
    """Whether the symbols of its texts are tokens."""
    return data.vocabulary is not None and data.vocabulary.of_tokens


def cut_by_tokens(data: DataSet) -> bool:
    """Whether it is a text that is cut into pieces once it is tokens: what is split are blocks of characters."""
    return in_tokens(data) and data.source.kind == "text"


def text_imports(data: DataSet) -> tuple[str, ...]:
    """The import lines that names and texts need."""
    tokenizer = TOKENIZERS[data.vocabulary.kind] if data.vocabulary and in_tokens(data) else ()
    pieces = PIECES if cut_by_tokens(data) else ()
    return (*(TEXTS if data.categories or data.texts else ()), *tokenizer, *pieces)


def text_constants(data: DataSet) -> list[str]:
    """The lines that say which columns are categories."""
    if not data.categories:
        return []
    sizes = literal({name: category.size for name, category in data.categories.items()})
    more = [f"OPEN = {literal(_open(data))}"] if _open(data) else []
    return [f"CATEGORIES = {sizes}  # how many there are at most", *more]


def text_settings(data: DataSet) -> dict[str, Any]:
    """What the template of ``data.py`` knows of them."""
    tokens = in_tokens(data)
    return {
        "categories": {"open": _open(data)} if data.categories else {},
        "vocabulary": None if tokens else _vocabulary(data),
        "tokens": _tokens(data) if tokens else None,
        "codes": bool(data.texts) and not tokens,
        "written": bool(data.categories or data.texts),
    }


def text_column(data: DataSet, name: str, kind: TensorType, source: str) -> Code | None:
    """The expression of a column that the source has as text; None for numbers."""
    made = Code(f"texts({quoted(name)}, {source})")
    if name in data.texts and not in_tokens(data):
        return Code(f"codes({made}, {literal(kind.size)})")
    return made if name in data.texts or name in data.categories else None


def _open(data: DataSet) -> list[str]:
    """The columns in which a number stands for what is no category."""
    return [name for name, category in data.categories.items() if category.unknown]


def _vocabulary(data: DataSet) -> dict[str, str] | None:
    """The columns that are texts, how many symbols are kept beside number 0, and what number 0 stands for."""
    if data.vocabulary is None:
        return None
    other, zero = ("\ufffd", "for all others") if data.source.kind == "text" else ("", "no character")
    kept = literal(data.vocabulary.size - 1)
    return {"columns": literal(text_columns(data)), "kept": kept, "other": quoted(other), "zero": zero}


def _tokens(data: DataSet) -> dict[str, Any]:
    """The size of the vocabulary, the columns of tokens with their lengths, and those that count bytes."""
    assert data.vocabulary is not None
    names = text_columns(data)
    lengths = {name: data.stored()[name].size for name in names}
    length = lengths[names[0]]
    assert isinstance(length, int)
    return {
        "kind": data.vocabulary.kind,
        "size": literal(data.vocabulary.size),
        "texts": literal(lengths),
        "bytes": [(quoted(name), quoted(of)) for name, of in data.bytes.items()],
        "length": length if cut_by_tokens(data) else None,
        "window": length + len(names) - 1,
        "pieces": [(quoted(name), place, place + length) for place, name in enumerate(names)],
    }
