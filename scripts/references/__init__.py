"""Models of other libraries, small and with weights at random, that the specs are compared with."""

from __future__ import annotations

from scripts.references.common import Reference, Sample
from scripts.references.huggingface import HUGGINGFACE
from scripts.references.keras_applications import KERAS
from scripts.references.torchvision_models import TORCHVISION

__all__ = ["REFERENCES", "Reference", "Sample"]

REFERENCES: dict[str, Reference] = {f"{r.mapping}/{r.name}": r for r in (*HUGGINGFACE, *KERAS, *TORCHVISION)}
"""By mapping and name, as `scripts/reference_models.py` takes it."""
