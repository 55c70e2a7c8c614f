"""Weights from elsewhere: a foreign file and a mapping to the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.manifest import load_backend
from dlspec.emit.weights import weight_map
from dlspec.ir.graph import Program
from dlspec.runtime.checkpoints import read_tensors
from dlspec.weights.conversion import Conversion, convert
from dlspec.weights.mapping import SAME, Mapping, beside, parse_mapping, read_mapping
from dlspec.weights.planning import Conventions, Plan, plan

Named = str | Path | Table[str, Any] | Mapping | None
"""A mapping: by its name beside the spec, as a path, as the table of its TOML file, or read already."""


def convert_weights(
    program: Program, model: str, source: str | Path | Table[str, Any], mapping: Named = None, seed: int = 0,
    fresh: Sequence[str] = (),
) -> Conversion:  # fmt: skip
    """The model's weights made of foreign ones: a file, a folder, or arrays by name.

    Without a mapping the names and layouts are the spec's own. Weights under the paths `fresh` are drawn from the
    seed instead, such as those of a head for other classes. Raises `SpecError`, before any tensor is read, where
    something is missing, left over or of another shape.
    """
    found = find_mapping(program, model, mapping)
    made = plan_for(program, model, found, fresh)
    tensors = read_tensors(source)
    file = Path(source).name if isinstance(source, (str, Path)) else "the given weights"
    return convert(program, model, made, found, tensors, file, seed)


def plan_for(program: Program, model: str, mapping: Mapping, fresh: Sequence[str] = ()) -> Plan:
    """How each weight of the model is made; raises `SpecError` where the mapping does not fit it."""
    return plan(program, model, mapping, conventions(program, model, mapping.framework), fresh)


def conventions(program: Program, model: str, framework: str) -> Conventions:
    """What a framework calls the weights in their layers and how it holds them, as its backend's rows say.

    PyTorch's names and layouts are the spec's own.
    """
    if framework == "torch":
        return {}
    places = weight_map(program, model, load_backend(framework))
    return {name: (native.rpartition(".")[2], layout) for name, native, layout in places}


def find_mapping(program: Program, model: str, mapping: Named) -> Mapping:
    """The mapping that is meant; by name it lies beside the file that declares the model."""
    if mapping is None:
        return SAME
    if isinstance(mapping, Mapping):
        return mapping
    if isinstance(mapping, Table):
        return parse_mapping(mapping)
    spec = home(program, model)
    if spec is None and not Path(mapping).is_file():
        raise fail(
            "DLS0731", f"there is no mapping `{mapping}`: the spec is no file that it could lie beside"
        )
    return read_mapping(beside(spec or Path(), str(mapping)))


def home(program: Program, model: str) -> Path | None:
    """The file that declares a model."""
    location = program.model(model).location
    path = Path(location.file if location else program.source)
    return path if path.is_file() else None
