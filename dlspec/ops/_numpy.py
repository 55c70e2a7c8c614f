"""NumPy, imported when a reference is first run: `check` and `compile` never need it."""

from __future__ import annotations

import importlib
from typing import Any


class _Lazy:
    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


np: Any = _Lazy("numpy")
"""The numpy module."""
