"""Models of other libraries, small and with weights at random, computed by the specs with the same weights.

Those of keras.applications come in one size, so most of them are left to `make references`.
"""

from __future__ import annotations

import pytest

pytest.importorskip("transformers")
pytest.importorskip("scripts.reference_models", reason="the references are in checkouts only")

from scripts.reference_models import TOLERANCE, prove
from scripts.references import REFERENCES

pytestmark = [pytest.mark.slow, pytest.mark.checkout]

HERE = [name for name, reference in REFERENCES.items() if not reference.heavy]


@pytest.mark.parametrize("name", HERE)
def test_the_spec_computes_what_the_library_does(name: str) -> None:
    proof = prove(REFERENCES[name])
    assert set(proof.errors) == {"torch", "keras", "onnx"}
    assert max(proof.errors.values()) <= TOLERANCE


def test_there_are_enough() -> None:
    assert len(REFERENCES) >= 12
