"""Weights from elsewhere, proved: models of other libraries, with weights at random, against the specs.

Each is built from the installed library (nothing is downloaded), saved as that library saves, converted by the
mapping beside the spec, and run on PyTorch, Keras and ONNX Runtime. The error is the largest difference from the
library's own output over that output's largest magnitude.

usage: python scripts/reference_models.py [NAME ...]       # keras/resnet50; without names, all
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.references import REFERENCES, Reference, Sample  # noqa: E402

TOLERANCE = 1e-5
BACKENDS = ("torch", "keras", "onnx")


@dataclass(frozen=True)
class Proof:
    """How far each backend is from the library, as parts of its largest output."""

    reference: Reference
    parameters: int
    errors: dict[str, float]
    seconds: float

    @property
    def ok(self) -> bool:
        return max(self.errors.values()) <= TOLERANCE


def prove(reference: Reference) -> Proof:
    """Build, save, convert, run and compare one model."""
    import dlspec

    started = time.perf_counter()
    spec = ROOT / "specs" / f"{reference.spec}.dls"
    model = dlspec.load(spec, reference.settings).model(reference.model)
    with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
        sample = reference.build(Path(folder))
        weights = model.convert(sample.file, reference.mapping)
        errors = {backend: _error(model, weights, backend, sample) for backend in BACKENDS}
    return Proof(reference, model.summary().parameters, errors, time.perf_counter() - started)


def _error(model: Any, weights: dict[str, Any], backend: str, sample: Sample) -> float:
    """The largest error of the outputs that the library has, too."""
    from dlspec.runtime import live

    inputs = [sample.inputs[value.name] for value in model.graph.inputs]
    if backend == "onnx":
        found = model.session(weights).run(None, {v.name: sample.inputs[v.name] for v in model.graph.inputs})
    else:
        run = {"torch": live.run_torch, "keras": live.run_keras}[backend]
        found = run(model.program, model.name, weights, inputs)
    outputs = dict(zip((output.name for output in model.graph.outputs), found, strict=True))
    return max(_distance(outputs[name], wanted) for name, wanted in sample.outputs.items())


def _distance(found: Any, wanted: Any) -> float:
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def proofs(names: list[str]) -> Iterator[Proof]:
    """The proofs asked for, or all."""
    missing = {r.library for r in REFERENCES.values() if find_spec(r.library.partition(".")[0]) is None}
    for library in sorted(missing):
        print(f"{library} is not installed; its models are left out", file=sys.stderr)
    for name, reference in REFERENCES.items():
        if reference.library not in missing and (not names or name in names):
            yield prove(reference)


def main(names: list[str]) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    unknown = [name for name in names if name not in REFERENCES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(REFERENCES)}", file=sys.stderr)
        return 2
    print(f"| {'spec':<16} | {'reference':<47} | {'parameters':>11} | torch   | keras   | ONNX    |    s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    fine = True
    for proof in proofs(names):
        r = proof.reference
        errors = " | ".join(f"{proof.errors[backend]:.1e}" for backend in BACKENDS)
        title = f"{r.library} {r.title}"
        print(f"| {r.model:<16} | {title:<47} | {proof.parameters:>11,} | {errors} | {proof.seconds:4.1f} |"
              + ("" if proof.ok else " DIFFERENT"), flush=True)  # fmt: skip
        fine = fine and proof.ok
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
