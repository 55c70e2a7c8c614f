"""Commands that run printed code: train, evaluate, predict."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from dlspec.cli.common import (
    choose_model,
    echo_json,
    guarded,
    json_option,
    load,
    model_option,
    set_option,
    spec_argument,
)  # fmt: skip
from dlspec.cli.data import data_options, trained_by, with_data
from dlspec.cli.generate import check_usage, generation_options, write_text
from dlspec.diagnostics import fail
from dlspec.ir.graph import Program
from dlspec.ir.training import Training

backend_option = click.option(
    "--backend",
    type=click.Choice(["torch", "keras"]),
    default="torch",
    show_default=True,
    help="Which framework.",
)
any_backend_option = click.option(
    "--backend",
    type=click.Choice(["onnx", "torch", "keras"]),
    default="onnx",
    show_default=True,
    help="What runs it.",
)
weights_option = click.option(
    "--weights", required=True, type=click.Path(path_type=Path), help="Trained weights (safetensors)."
)


def choose_training(program: Program, name: str | None) -> Training:
    """The training asked for, or the only one."""
    if not program.trainings:
        raise fail("DLS0806", "the spec trains nothing", hint="add `train MODEL on DATA { ... }`")
    return program.trainings[choose_model(program, name, list(program.trainings))]


def known_split(program: Program, training: Training, split: str | None) -> str:
    """The split asked for, or the last one. Raises `SpecError` (DLS0805)."""
    splits = list(program.data[training.data].split)
    split = split or splits[-1]
    if split not in splits:
        raise fail("DLS0805", f"the data has no split `{split}`", hint=f"its splits are {', '.join(splits)}")
    return split


@click.command("evaluate", help="Loss and metrics of trained weights on one split of the spec's data.")
@spec_argument
@weights_option
@any_backend_option
@click.option("--split", help="[default: the last one the spec names]")
@click.option("--name", help="Which training, where the spec has several.")
@data_options
@set_option
@json_option
@guarded
def evaluate_command(
    spec: Path, weights: Path, backend: str, split: str | None, name: str | None, settings: tuple[str, ...],
    as_json: bool, sources: tuple[str, ...], fold: int | None,
) -> None:  # fmt: skip
    from dlspec.runtime.training import evaluate

    program = load(spec, settings)
    training = choose_training(program, name or trained_by(program, weights))
    program = with_data(program, training, sources, fold, weights)
    split = known_split(program, training, split)
    result = evaluate(program, training, weights, backend, split)
    if as_json:
        echo_json({"ok": True, "split": split, "results": result})
    else:
        click.echo(f"{split}: {numbers(result, 6)}")
        for key, value in result.items():
            if isinstance(value, list):
                click.echo(f"\n{key} =\n{_table(value)}")


@click.command(
    "predict",
    help="The model's outputs for arrays in a .npz or .npy file, prepared as the export says, or for a split of "
    "the spec's data; or, with --generate, the text that it writes, alone or about such examples.",
)
@spec_argument
@weights_option
@any_backend_option
@click.option("--input", "source", type=click.Path(path_type=Path), help=".npz by input name, or .npy.")
@click.option("--split", help="Which examples of the spec's data, in place of --input.")
@generation_options
@click.option("--out", type=click.Path(path_type=Path), help=".npz to write; without it, a summary is shown.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@model_option
@data_options
@set_option
@json_option
@guarded
def predict_command(
    spec: Path, weights: Path, backend: str, source: Path | None, split: str | None, out: Path | None, force: bool,
    model: str | None, settings: tuple[str, ...], as_json: bool, sources: tuple[str, ...], fold: int | None,
    **generation: Any,
) -> None:  # fmt: skip
    from dlspec.runtime.prediction import named_categories, predict, read_inputs, write_outputs

    program = load(spec, settings)
    name = choose_model(program, model)
    if split is None and (sources or fold is not None):
        raise click.UsageError("--source and --fold go with --split: no data of the spec is read")
    check_usage({"--input": source, "--split": split}, out, **generation)
    examples = partial(_examples, program, name, weights, split, sources, fold)
    if generation["prompt"] is not None:
        about = partial(_about, program, name, weights, source) if source else examples if split else None
        write_text(program, name, weights, backend, as_json, about, **generation)
        return
    if out is not None and out.exists() and not force:
        raise fail("DLS0802", f"`{out}` exists", hint="choose another `--out`, or give `--force`")
    if source is not None:
        outputs = predict(program, name, weights, backend, read_inputs(program, name, source, weights))
    else:
        outputs = predict(program, name, weights, backend, examples(), prepared=True)
    outputs |= named_categories(program, name, weights, outputs)
    if out is not None:
        write_outputs(out, outputs)
    if as_json:
        echo_json({"ok": True, "outputs": {k: _listed(v, out) for k, v in outputs.items()}})
        return
    for key, value in outputs.items():
        click.echo(f"{key}: {value.dtype} {list(value.shape)}" + (f" -> {out}" if out else ""))
    if out is None:
        for key, value in outputs.items():
            click.echo(f"\n{key} =\n{value}")


def _examples(
    program: Program, model: str, weights: Path, split: str | None, sources: tuple[str, ...], fold: int | None,
    but: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the model takes, of a split of the data that it is trained on; all inputs `but` that one."""
    from dlspec.runtime.prediction import split_inputs

    own = [training.name for training in program.trainings_of(model)]
    known = trained_by(program, weights)
    training = choose_training(program, known if known in own else next(iter(own), None))
    program = with_data(program, training, sources, fold, weights)
    return split_inputs(program, model, training, known_split(program, training, split), weights, but)


def _about(program: Program, model: str, weights: Path, source: Path, but: str) -> dict[str, Any]:
    """What a file has for the inputs of the model, all `but` that one, prepared."""
    from dlspec.runtime.prediction import prepare_inputs, read_inputs

    return prepare_inputs(program, model, read_inputs(program, model, source, weights, but), but)


def numbers(result: dict[str, Any], digits: int) -> str:
    """The results that are single numbers, on a line."""
    numbers = {name: value for name, value in result.items() if not isinstance(value, list)}
    return "  ".join(f"{name} {value:.{digits}g}" for name, value in numbers.items())


def _table(rows: list[Any]) -> str:
    import numpy as np

    return str(np.array(rows))


def _listed(value: Any, out: Path | None) -> Any:
    """The values themselves, or only the shape where a file holds them."""
    return {"shape": list(value.shape)} if out is not None else value.tolist()
