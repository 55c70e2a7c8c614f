"""Printing batches of examples of about the same length."""

from __future__ import annotations

from typing import Any

from dlspec.elaborate.buckets import padded
from dlspec.emit.code import literal, quoted
from dlspec.ir.data import DataSet


def bucket_constants(data: DataSet) -> list[str]:
    """The lines that say how long batches may be, and which columns are cut."""
    if data.bucket is None:
        return []
    return [
        f"BUCKETS = {literal(list(data.bucket.sizes))}  # how long the examples of a batch may be",
        f"PADDED = {literal(padded(data))}",
    ]


def bucket_settings(data: DataSet) -> dict[str, Any] | None:
    """What the template of ``data.py`` knows: the column of lengths, and what becomes of small batches."""
    if data.bucket is None:
        return None
    by = data.bucket.by
    return {"by": quoted(by) if by else None, "name": by}  # names of the language are ASCII words
