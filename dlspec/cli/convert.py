"""`dlspec convert-weights`: weights of another library to those of a spec."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.common import (
    choose_model,
    echo_json,
    guarded,
    json_option,
    load,
    model_option,
    seed_option,
    set_option,
    spec_argument,
)  # fmt: skip
from dlspec.diagnostics import fail


@click.command(
    "convert-weights",
    help="Make a spec's weights of PyTorch's or Keras's: checked for every name and shape, then written.",
)
@spec_argument
@click.option(
    "--from", "source", required=True, type=click.Path(path_type=Path),
    help=".safetensors, .index.json, .pt, .bin, .h5, .keras, or a folder of Hugging Face's.",
)  # fmt: skip
@click.option("--mapping", help="Whose names it has: NAME for SPEC.NAME.toml beside the spec, or a file.")
@click.option(
    "--fresh", "fresh", multiple=True, metavar="PATH",
    help="Layers that keep initial weights, such as a head for other classes.",
)  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Safetensors file to write.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@model_option
@set_option
@seed_option
@json_option
@guarded
def convert_weights_command(
    spec: Path, source: Path, mapping: str | None, fresh: tuple[str, ...], out: Path, force: bool,
    model: str | None, settings: tuple[str, ...], seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    from dlspec.runtime.conversion import convert_weights
    from dlspec.weights.store import listed, metadata, save_weights

    program = load(spec, settings)
    name = choose_model(program, model)
    if out.exists() and not force:
        raise fail("DLS0802", f"`{out}` exists", hint="choose another `--out`, or give `--force`")
    made = convert_weights(program, name, source, mapping, seed or 0, fresh)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_weights(out, made.tensors, metadata(name))
    if as_json:
        echo_json({"ok": True, "file": str(out), "weights": len(made.tensors), "ignored": made.ignored})
        return
    ignored = f"; not used: {listed(made.ignored)}" if made.ignored else ""
    click.echo(f"{out}: {len(made.tensors)} weights of `{name}`{ignored}")
