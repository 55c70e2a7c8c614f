"""Weights on disk: safetensors in canonical names and layout, with what they belong to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.ir.graph import Program
from dlspec.weights.tensors import Tensor, from_array, unreadable, write_safetensors

SHOWN = 8  # names listed in one message


def metadata(model: str, seed: int | None = None, source: str = "") -> dict[str, str]:
    """What is written beside the weights: the model, the seed, and a hash of the spec's text."""
    found = {"format": "dlspec", "model": model, "spec": sha256(source.encode()).hexdigest()[:16]}
    return found if seed is None else {**found, "seed": str(seed)}


def save_weights(path: str | Path, arrays: Mapping[str, Any], about: Mapping[str, str] | None = None) -> None:
    """Write weights (and `metadata`): arrays, or tensors that are read when it is their turn.

    Either the whole file is there afterwards, or what was before.
    """
    tensors = {n: a if isinstance(a, Tensor) else from_array(a) for n, a in arrays.items()}
    with replacing(path) as temporary:
        write_safetensors(temporary, tensors, about or {})


def load_weights(path: str | Path) -> dict[str, Any]:
    """The weights of a file; raises `SpecError` (DLS0711) when it cannot be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from None


def load_metadata(path: str | Path) -> dict[str, str]:
    """What was written beside the weights."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from None


def own_weights(program: Program, model: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Those of one model, without the name that it has in a training of several: `G.linear.weight` is its
    `linear.weight`. Raises `SpecError` (DLS0710) for weights of something else.
    """
    key = program.models[model]
    names = {weight.name for weight in program.all_weights(key)}
    trainings = program.trainings_of(model)
    players = {player for each in trainings for player, its in each.models.items() if its == key}
    there = sorted(p for p in players if names and arrays.keys() >= {f"{p}.{name}" for name in names})
    if names <= arrays.keys() or not there:
        check_weights(program, model, arrays)
        return arrays
    if len(there) > 1:
        raise SpecError([Diagnostic("DLS0710", f"there are weights of several `{model}`: {listed(there)}",
                                    hint="save those of one, without its name before theirs")])  # fmt: skip
    own = {name: arrays[f"{there[0]}.{name}"] for name in names}
    check_weights(program, model, own)
    return own


def check_weights(program: Program, model: str, arrays: Mapping[str, Any]) -> None:
    """Raise `SpecError` (DLS0710) listing every weight that is missing, left over, or of another shape."""
    wanted = {
        weight.name: tuple(int(dim) for dim in weight.type.shape)  # type: ignore[arg-type]
        for weight in program.all_weights(program.models[model])
    }
    missing = [name for name in wanted if name not in arrays]
    extra = [name for name in arrays if name not in wanted]
    wrong = [
        f"`{name}` is {list(arrays[name].shape)}, not {list(shape)}"
        for name, shape in wanted.items()
        if name in arrays and tuple(arrays[name].shape) != shape
    ]
    problems = [
        Diagnostic("DLS0710", f"{what} `{model}`: {listed(names)}")
        for what, names in (
            ("weights are missing for", [f"`{name}`" for name in missing]),
            ("there are weights that do not belong to", [f"`{name}`" for name in extra]),
            ("weights have another shape in", wrong),
        )
        if names
    ]
    if problems:
        problems[-1].hint = "were they made with this spec, and with the same `--set`?"
        raise SpecError(problems)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when all went well."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def listed(names: list[str], separator: str = ", ") -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return separator.join(names[:SHOWN]) + more
