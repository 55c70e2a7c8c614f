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
@pytest.mark.parametrize(
    ("file", "model", "more", "heads"),
    [("gpt2.dls", "GPT2", {}, 4), ("llama.dls", "Llama", {"kv_heads": "2", "hidden": "48"}, 2)],
)
def test_step(file: str, model: str, more: dict[str, str], heads: int, first: int) -> None:
    sizes = SMALL | more
    settings = {f"{name}.{key}": value for name in (model, f"{model}Step") for key, value in sizes.items()}
    spec = dlspec.load(SPECS / file, settings)
    weights = spec.model(model).weights()
    assert weights.keys() == spec.model(f"{model}Step").weights().keys()

    tokens = np.random.default_rng(0).integers(0, 50, (2, 7))
    whole = reference(spec, model, weights, tokens=tokens)["logits"]
    past, logits = np.zeros((3, 2, 2, heads, 0, 8), "f4"), []
    for part in (tokens[:, :first], tokens[:, first : first + 1], tokens[:, first + 1 :]):
        if part.size:
            step = reference(spec, f"{model}Step", weights, tokens=part, past=past)
            past = step["present"]
            logits.append(step["logits"])
    assert past.shape[4] == 7
    np.testing.assert_allclose(np.concatenate(logits, 1), whole, rtol=0, atol=1e-5 * np.abs(whole).max())
