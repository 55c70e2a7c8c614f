"""dlspec: one spec of a network to readable PyTorch, readable Keras and deployable ONNX.

>>> import dlspec
>>> spec = dlspec.load("specs/survey/cnn.dls")
>>> spec.model("Classifier").summary().parameters
53002
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The Python API, imported when it is first used: `load`, `loads`, `Spec`, `Model`, `SpecError`."""
    if name in ("load", "loads", "Spec", "Model"):
        from dlspec import api

        return getattr(api, name)
    if name == "SpecError":
        from dlspec.diagnostics import SpecError

        return SpecError
    raise AttributeError(f"module 'dlspec' has no attribute '{name}'")
