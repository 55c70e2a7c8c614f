"""How a backend writes an optimizer: ``backends/NAME/optimizers.toml`` and the classes in ``optimizers/``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.code import Code, call, literal
from dlspec.emit.manifest import Backend
from dlspec.ir.training import OptimizerSpec

KEYS = frozenset({"when", "text", "args", "kwargs", "needs"})


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer, printed: the expression that makes it, and the classes that the file needs for it."""

    expression: Code
    helpers: Mapping[str, str]


def print_optimizer(backend: Backend, spec: OptimizerSpec, parameters: str) -> Optimizer:
    """The optimizer `spec` over `parameters`, an expression. Raises `SpecError` (DLS0701, DLS0706)."""
    fields = {name: getattr(spec, name) for name in type(spec).model_fields}
    row = _row(backend, spec.spec_name(), fields)
    values = {**fields, "parameters": Code(parameters)}
    kwargs = []
    for name, entry in row.get("kwargs", {}).items():
        source, *default = entry if isinstance(entry, list) else (None,)
        value = values[source] if source else entry
        if [_plain(value)] != default:
            kwargs.append((name, literal(value)))
    args = [literal(values[name]) for name in row.get("args", ())]
    folder = backend.folder / "optimizers"
    helpers = {name: (folder / f"{name}.py").read_text("utf-8").strip() for name in row.get("needs", ())}
    return Optimizer(call(row["text"], args, kwargs), helpers)


def _row(backend: Backend, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    for row in _table(backend).get(name, ()):
        if unknown := set(row) - KEYS:
            raise fail(
                "DLS0701", f"backends/{backend.name}/optimizers.toml: {name}: unknown key `{min(unknown)}`"
            )
        if all(fields.get(key) == wanted for key, wanted in row.get("when", {}).items()):
            return dict(row)
    raise fail("DLS0706", f"the {backend.name} backend cannot train with `{name}`")


def _table(backend: Backend) -> Mapping[str, Any]:
    file = backend.folder / "optimizers.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
