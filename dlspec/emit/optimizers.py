"""How a backend writes an optimizer: ``backends/NAME/optimizers.toml`` and the classes in ``optimizers/``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.code import Code, call, literal
from dlspec.emit.manifest import Backend
from dlspec.ir.training import OptimizerSpec

KEYS = frozenset({"when", "text", "args", "kwargs", "needs", "decay"})


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer, printed: the expression that makes it, and the classes that the file needs for it."""

    expression: Code
    helpers: Mapping[str, str]


def print_optimizer(backend: Backend, spec: OptimizerSpec, parameters: str) -> Optimizer:
    """The optimizer `spec` over `parameters`, an expression. Raises `SpecError` (DLS0701, DLS0706)."""
    fields = {name: getattr(spec, name) for name in type(spec).model_fields}
    row = _row(backend, spec.spec_name(), fields)
    spared = fields.get("decay") == "matrices"
    values = {**fields, "parameters": Code(f"decay_groups({parameters})" if spared else parameters)}
    kwargs = []
    for name, entry in row.get("kwargs", {}).items():
        source, *default = entry if isinstance(entry, list) else (None,)
        value = values[source] if source else entry
        if [_plain(value)] != default:
            kwargs.append((name, literal(value)))
    args = [literal(values[name]) for name in row.get("args", ())]
    folder = backend.folder / "optimizers"
    helpers = {name: (folder / f"{name}.py").read_text("utf-8").strip() for name in row.get("needs", ())}
    text = row["text"]
    if spared:
        helpers["decay_groups"], text = _groups(folder / "decay_groups.py", row)
    return Optimizer(call(text, args, kwargs), helpers)


def _groups(file: Traversable, row: Mapping[str, Any]) -> tuple[str, str]:
    """What keeps decay to matrices, for the class of `row`, and what is called then: that, or a class made of it."""
    text = file.read_text("utf-8").strip()
    if "BASE" not in text:
        return text, row["text"]
    name = f"{row['text']}ForMatrices"
    for old, new in (("MatrixDecay", name), ("BASE", row["text"]), ("DECAY", row.get("decay", "decay"))):
        text = text.replace(old, new)
    return text, name


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
