"""`dlspec draw`: a picture of a model."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.common import choose_model, guarded, load, model_option, set_option, spec_argument
from dlspec.diagnostics import fail


@click.command("draw", help="Draw a model and its blocks as an SVG picture.")
@spec_argument
@click.option("--out", type=click.Path(path_type=Path), help="File to write; without it the SVG is printed.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@model_option
@set_option
@guarded
def draw_command(
    spec: Path, out: Path | None, force: bool, model: str | None, settings: tuple[str, ...]
) -> None:
    from dlspec.draw import draw

    program = load(spec, settings)
    picture = draw(program, choose_model(program, model))
    if out is None:
        click.echo(picture, nl=False)
        return
    if out.exists() and not force:
        raise fail("DLS0802", f"`{out}` exists", hint="choose another `--out`, or give `--force`")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(picture, encoding="utf-8")
    click.echo(out)
