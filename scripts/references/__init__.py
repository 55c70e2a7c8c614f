"""Models of other libraries, small and with weights at random, that the specs are compared with."""

from __future__ import annotations

from scripts.references.common import Reference, Sample
from scripts.references.huggingface import HUGGINGFACE
from scripts.references.keras_applications import KERAS

__all__ = ["REFERENCES", "Reference", "Sample"]

REFERENCES: dict[str, Reference] = {r.name: r for r in (*HUGGINGFACE, *KERAS)}
"""By name, as `scripts/reference_models.py` takes it."""
