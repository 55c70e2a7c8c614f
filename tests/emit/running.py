"""Running printed PyTorch beside the reference interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_model
from dlspec.emit.weights import weight_map
from dlspec.ir.graph import Program
from dlspec.runtime.interpreter import run


def torch_and_reference(
    program: Program, inputs: dict[str, np.ndarray], seed: int = 0
) -> list[tuple[Any, Any]]:
    """Each result of the only model: from its printed PyTorch, and from the interpreter."""
    import torch

    rng = np.random.default_rng(seed)
    ((name, key),) = program.models.items()
    weights = {}
    for weight in program.all_weights(key):
        values = rng.uniform(-0.5, 0.5, tuple(map(int, weight.type.shape))).astype("float32")
        weights[weight.name] = np.abs(values) + 0.1 if "var" in weight.name else values
    backend = load_backend("torch")
    space: dict[str, Any] = {"__name__": "printed"}
    exec(print_model(program, name, backend), space)
    model = space[name]().eval()
    state = {
        native: torch.from_numpy(weights[path]) for path, native, _ in weight_map(program, name, backend)
    }
    assert set(weights) == {path for path, _, _ in weight_map(program, name, backend)}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    assert not [n for n in missing if "num_batches" not in n and "bias_hh" not in n]
    with torch.no_grad():
        results = model(*map(torch.from_numpy, inputs.values()))
    wanted = run(program, key, inputs, weights)
    values = list(wanted.values()) if isinstance(wanted, dict) else list(wanted)
    return list(
        zip([r.numpy() for r in (results if isinstance(results, tuple) else (results,))], values, strict=True)
    )


def assert_close(pairs: list[tuple[Any, Any]], tolerance: float = 1e-5) -> None:
    """Norm-wise agreement."""
    for got, want in pairs:
        assert got.shape == want.shape
        assert np.abs(got - want).max() <= tolerance * max(np.abs(want).max(), 1e-30)
