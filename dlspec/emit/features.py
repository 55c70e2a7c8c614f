"""What a training may add to the plain ``train.py``: each feature is a template of macros, named after places.

``train.py.jinja`` marks its places by lines of their own, such as ``#: fields``, which are gone once it is printed. A
feature that is called `ema` is on where the setting `ema` is not empty. What it adds at a place is the macro of that
name in ``training/ema.jinja`` of the backend's folder, and before it in ``common/training/ema.jinja``; either may be
missing, and macros see all settings. So a new feature is a setting, a name in `FEATURES` and its files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from jinja2 import TemplateNotFound

from dlspec.emit.manifest import Backend

FEATURES = (
    "scaled",
    "remat",
    "autocast",
    "frozen",
    "freeze",
    "grouped",
    "inference",
    "progress",
    "rates",
    "copies",
    "ema",
    "clock_length",
    "clock_total",
    "rare",
    "updates",
    "channels_last",
    "pooled_first",
    "vocabulary",
    "categories",
    "drawn",
    "several",
    "best",
    "plateau",
    "checkpoint",
    "steps_log",
    "parallel",
)
"""All features, in the order in which they come at a place that several have something for."""


class Places:
    """The lines that features add, by the name of the place; they see `settings`, where this is `places`."""

    def __init__(self, backend: Backend, settings: Mapping[str, Any]) -> None:
        self.backend = backend
        self.settings = {**settings, "places": self}

    @cached_property
    def _modules(self) -> list[Any]:
        """The macros of all features that are on."""
        return [
            module
            for name in FEATURES
            if self.settings.get(name)
            for file in (f"common/training/{name}.jinja", f"training/{name}.jinja")
            for module in self._module(file)
        ]

    def __getitem__(self, place: str) -> list[str]:
        """The lines at a place."""
        macros = [getattr(module, place) for module in self._modules if hasattr(module, place)]
        return [line for macro in macros for line in str(macro()).strip("\n").split("\n")]

    def _module(self, file: str) -> list[Any]:
        """The macros of a file, none where it is missing."""
        try:
            return [self.backend.template(file).make_module(self.settings)]
        except TemplateNotFound:
            return []
