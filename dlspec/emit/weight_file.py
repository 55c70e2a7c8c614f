"""Printing ``weights.py``: between canonical safetensors and the framework's own names and layouts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlspec.emit.code import Code, call, literal, quoted
from dlspec.emit.dims import NAMES
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.layers import Leaves, example_inputs, layer_places, renamed_attributes
from dlspec.emit.manifest import Backend
from dlspec.emit.names import PYTHON, identifier
from dlspec.emit.naming import ModuleNames
from dlspec.emit.wrap import tidy
from dlspec.ir.graph import Program
from dlspec.ir.training import Parallel
from dlspec.passes import prepare
from dlspec.passes.outline import outline

IMPORTS = {
    r"\bre\.": "import re",
    r"\bPath\b": "from pathlib import Path",
    r"\bAny\b": "from typing import Any",
    r"\bNamedTuple\b": "from typing import NamedTuple",
    r"\bIterator\b": "from collections.abc import Iterator",
    r"\bnp\.": "import numpy as np",
}


USED = frozenset({
    "INPUTS", "NAMES", "LAYERS", "OTHERS", "OWN", "Any", "Iterator", "NamedTuple", "Path", "Place", "build", "children",
    "find", "indexed", "load", "load_file", "named", "np", "re", "save", "save_file", "to_spec", "to_variable",
})  # fmt: skip
"""Names that the file has for itself."""


def print_weights(
    program: Program,
    models: Mapping[str, str],
    backend: Backend,
    attributes: Mapping[str, str] | None = None,
    parallel: Parallel | None = None,
) -> str:
    """The text of ``weights.py`` for models: name to graph key. One alone has the name "": it is loaded and
    saved itself; several by the object that has them as `attributes`, where those are not their names. `parallel` are
    the processes that have them together.
    """
    found = _Found(program, models, backend, attributes or {})
    tables = [*found.layers.values(), *found.others.values()]
    places = [place for leaves in tables for place in leaves.values()]
    body = backend.template("weights.py.jinja").render(
        renamed={quoted(n): quoted(name) for name, n in found.natives.items() if name != n},
        attributes={quoted(native): quoted(name) for native, name in found.attributes.items()},
        own=_alternatives(_own(found.natives.values())),
        inputs=found.inputs(),
        by_name=found.by_name,
        layers={found.local(name): _printed(leaves) for name, leaves in found.layers.items()},
        others={quoted(path): _printed(leaves) for path, leaves in found.others.items()},
        has_gates=any(p.blocks for p in places),
        has_merged=any(p.merged for p in places),
        has_index=any("[" in p.variable for p in places),
        parallel=parallel is not None,
        shard=parallel is not None and parallel.shard,
    )
    head, _, rest = body.partition("#: imports\n")
    own, rest = split_imports(rest)
    imports = block([*own, *needed(rest, {**IMPORTS, **backend.imports})])
    files = {rf"\b{name}\b": line for name, line in found.from_model.items()}
    used = needed(rest, {r"\bprocesses\.": "import processes", **files})
    return tidy(head + "\n\n".join(filter(None, [imports, block(used), rest])) + "\n")


class _Found:
    """What there is to know of the weights of some models."""

    def __init__(
        self, program: Program, models: Mapping[str, str], backend: Backend, attributes: Mapping[str, str]
    ) -> None:
        self.program, self.models = program, models
        keys = list(dict.fromkeys(models.values()))
        names = ModuleNames(outline(prepare(program, keys, backend), keys, backend), backend)
        self.classes = {key: names.of[names.outline.of[key].name].name for key in keys}
        self.taken = {*PYTHON, *USED, "Tensor", "keras", "layers", "nn", "ops", "torch"}
        self.from_model: dict[str, str] = {}
        self.natives: dict[str, str] = {}
        self.layers: dict[str, Leaves] = {}
        self.others: dict[str, Leaves] = {}
        self.attributes: dict[str, str] = {}
        for model, key in models.items():
            attribute = attributes.get(model, model)
            if attribute != model:
                self.attributes[attribute] = model
            head = f"{model}." if model else ""
            for name, path, _ in names.paths(key):
                self.natives[head + name] = ".".join(map(str, (attribute, *path) if attribute else path))
            self.attributes.update(renamed_attributes(names, key))
            self._add(*layer_places(names, key, head))

    def _add(self, layers: dict[str, Leaves], others: dict[str, Leaves]) -> None:
        for layer, leaves in layers.items():
            self.layers.setdefault(layer, {}).update(leaves)
        self.others.update(others)

    def local(self, name: str) -> str:
        """A class as this file calls it: a framework's, or one imported from ``model.py``."""
        if "." in name:
            return name
        here = identifier(name, self.taken)
        self.from_model[here] = f"from model import {name}" + (f" as {here}" if here != name else "")
        return here

    @property
    def by_name(self) -> bool:
        """Whether models of one class are called with different shapes, so that their class does not say with which."""
        return len(set(self.classes.values())) < len(self.classes)

    def inputs(self) -> dict[str, Code]:
        """What each class of models is called with, or each model, by its attribute."""
        if self.by_name:
            natives = {model: native for native, model in self.attributes.items()}
            return {
                quoted(natives.get(model, model)): self._called(key) for model, key in self.models.items()
            }
        return {self.local(name): self._called(key) for key, name in self.classes.items()}

    def _called(self, key: str) -> Code:
        return literal(example_inputs(self.program.graphs[key], NAMES))


def _printed(leaves: Leaves) -> dict[str, Code]:
    printed = {}
    for leaf, place in leaves.items():
        optional: list[tuple[str, Any]] = [("gates", place.blocks), ("merged", place.merged)]
        args = [quoted(place.variable), *([literal(place.axes)] if place.axes else [])]
        printed[quoted(leaf)] = call("Place", args, [(key, literal(v)) for key, v in optional if v])
    return printed


def _own(natives: Iterable[str]) -> list[str]:
    """Patterns for what PyTorch's layers keep beside the weights of the spec: counters, second biases."""
    known = set(natives)
    found: dict[str, None] = {}
    for name in known:
        owner, _, local = name.rpartition(".")
        for mine, theirs in (("running_mean", "num_batches_tracked"), ("bias_ih", "bias_hh")):
            other = f"{owner}.{local.replace(mine, theirs)}"
            if local.startswith(mine) and other not in known:
                found[re.sub(r"\d+", r"\\d+", re.escape(other))] = None
    return sorted(found)


def _alternatives(patterns: Sequence[str]) -> Code | None:
    return Code(f'r"{"|".join(patterns)}"') if patterns else None
