"""A step that goes on from a cache gives what the whole network gives, with the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec._data import data_path
from dlspec.runtime.interpreter import run

SPECS = Path(str(data_path("specs"))) / "language"
SMALL = {"words": "50", "width": "32", "depth": "3", "heads": "4"}


def reference(spec: dlspec.api.Spec, model: str, weights: Any, **inputs: Any) -> dict[str, Any]:
    return run(spec.program, spec.program.models[model], inputs, weights)


@pytest.mark.parametrize("first", [0, 1, 4])
def test_gpt2(first: int) -> None:
    settings = {f"{model}.{name}": value for model in ("GPT2", "GPT2Step") for name, value in SMALL.items()}
    spec = dlspec.load(SPECS / "gpt2.dls", settings)
    weights = spec.model("GPT2").weights()
    assert weights.keys() == spec.model("GPT2Step").weights().keys()

    tokens = np.random.default_rng(0).integers(0, 50, (2, 7))
    whole = reference(spec, "GPT2", weights, tokens=tokens)["logits"]
    past, logits = np.zeros((3, 2, 2, 4, 0, 8), "f4"), []
    for part in (tokens[:, :first], tokens[:, first : first + 1], tokens[:, first + 1 :]):
        if part.size:
            step = reference(spec, "GPT2Step", weights, tokens=part, past=past)
            past = step["present"]
            logits.append(step["logits"])
    assert past.shape[4] == 7
    np.testing.assert_allclose(np.concatenate(logits, 1), whole, rtol=0, atol=1e-5 * np.abs(whole).max())
