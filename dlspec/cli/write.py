"""Commands that write files: compile, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.common import (
    choose_model,
    echo_json,
    guarded,
    json_option,
    load,
    model_option,
    prepare_folder,
    seed_option,
    set_option,
    spec_argument,
)  # fmt: skip
from dlspec.diagnostics import fail
from dlspec.ir.graph import Program
from dlspec.ir.training import Export
from dlspec.summary import summarize

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

SMALL = 200_000_000
"""Bytes of weights that `compile` draws unasked."""


@click.command("compile", help="Write the code for one backend: a folder that runs without dlspec.")
@spec_argument
@click.option("--to", "backend", required=True, help="torch, keras, onnx, or a folder like ./my-backend.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write; without it the model is printed."
)
@click.option("--force", is_flag=True, help="Overwrite files in a folder that is not empty.")
@click.option("--weights/--no-weights", default=None, help="With initial weights? [default: below 200 MB]")
@model_option
@set_option
@seed_option
@json_option
@guarded
def compile_command(
    spec: Path, backend: str, out: Path | None, force: bool, weights: bool | None, model: str | None,
    settings: tuple[str, ...], seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    from dlspec.emit.manifest import load_backend
    from dlspec.emit.project import print_project
    from dlspec.runtime.project import write_project

    program = load(spec, settings)
    chosen = load_backend(backend)
    name = _choose(program, model, chosen)
    files = print_project(program, name, chosen)
    if out is None:
        main = "model.onnxtxt" if chosen.language == "onnx" else "model.py"
        click.echo(files[main], nl=False)
        return
    drawn = weights if weights is not None else summarize(*_owner(program, name)).weight_bytes < SMALL
    arrays = _initial_weights(program, name, chosen, seed) if drawn else None
    write_project(files, prepare_folder(out, force))
    written = list(files)
    if arrays is not None:
        written += _write_weights(program, name, chosen, arrays, out, seed)
    if as_json:
        echo_json({"ok": True, "folder": str(out), "files": sorted(written)})
    else:
        click.echo(f"{out}: {', '.join(sorted(written))}")


def _choose(program: Program, name: str | None, backend: Backend) -> str:
    """The model or training asked for; without a name the only training, which has all its models, or model."""
    if backend.language == "onnx":
        return choose_model(program, name)
    if name is None and len(program.trainings) == 1:
        return next(iter(program.trainings))
    return choose_model(program, name, list(dict.fromkeys([*program.trainings, *program.models])))


def _owner(program: Program, name: str) -> tuple[Program, str]:
    """A program and model that have the weights of a model or training."""
    from dlspec.runtime.training import as_model

    return as_model(program, program.trainings[name]) if name in program.trainings else (program, name)


def _initial_weights(program: Program, name: str, backend: Backend, seed: int | None) -> dict[str, Any]:
    """What a training begins with, or a model's weights as drawn."""
    from dlspec.runtime.training import initial_weights
    from dlspec.weights.draw import draw_weights

    if backend.language != "onnx" and name in program.trainings:
        return initial_weights(program, program.trainings[name], seed)
    return draw_weights(program, name, seed or 0)


def _write_weights(
    program: Program, name: str, backend: Backend, arrays: dict[str, Any], folder: Path, seed: int | None
) -> list[str]:
    """Write weights beside the code: as safetensors, for ONNX as the binary model and its data."""
    if backend.language != "onnx":
        from dlspec.weights.store import metadata, save_weights

        save_weights(folder / "weights.safetensors", arrays, metadata(name, seed))
        return ["weights.safetensors"]
    from dlspec.emit.onnx import print_onnx
    from dlspec.runtime.onnx import write_model

    text = print_onnx(program, name, backend)
    return [path.name for path in write_model(text, arrays, folder / "model.onnx", external=True)]


@click.command("export", help="Write a deployable ONNX model, preparation inside; no framework needed.")
@spec_argument
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights (safetensors).")
@click.option("--out", type=click.Path(path_type=Path), help="File to write [default: MODEL.onnx].")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@model_option
@set_option
@seed_option
@json_option
@guarded
def export_command(
    spec: Path, weights: Path | None, out: Path | None, force: bool, model: str | None, settings: tuple[str, ...],
    seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    from dlspec.emit.manifest import load_backend
    from dlspec.emit.onnx import print_onnx
    from dlspec.runtime.onnx import check, write_model
    from dlspec.runtime.prediction import preparation
    from dlspec.weights.draw import draw_weights
    from dlspec.weights.store import load_weights, own_weights

    program = load(spec, settings)
    name = choose_model(program, model)
    out = out or Path(f"{name}.onnx")
    if out.exists() and not force:
        raise fail("DLS0802", f"`{out}` exists", hint="choose another `--out`, or give `--force`")
    arrays = load_weights(weights) if weights else draw_weights(program, name, seed or 0)
    arrays = own_weights(program, name, arrays)
    plan = program.exports.get(name, Export(model=name))
    text = print_onnx(
        program, name, load_backend("onnx"), opset=plan.opset, ir_version=plan.ir_version,
        prepare=preparation(program, name),
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    written = write_model(text, arrays, out)
    check(out)
    if as_json:
        echo_json({"ok": True, "files": [str(p) for p in written], "opset": plan.opset})
        return
    note = "" if weights else "; its weights are the initial ones, as none were given"
    click.echo(f"{', '.join(map(str, written))}: opset {plan.opset}, checked{note}")
