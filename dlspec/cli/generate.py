"""`dlspec predict --generate`: the options, and what is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.common import echo_json

if TYPE_CHECKING:
    from dlspec.ir.graph import Program

LENGTH = 200

OPTIONS = (
    click.option(
        "--generate",
        "prompt",
        metavar="TEXT",
        help="Write on from this text, or answer it. With --input or --split: write about each example, with TEXT (or "
        "'') to begin with.",
    ),
    click.option("--length", type=click.IntRange(1), help=f"Symbols to write at most. [default: {LENGTH}]"),
    click.option(
        "--temperature",
        type=click.FloatRange(0),
        help="Draw by scores divided by this; 0 takes the best. [default: 0, with --top-k 1]",
    ),
    click.option("--top-k", type=click.IntRange(1), help="Draw from so many of the best. [default: all]"),
    click.option("--seed", type=click.IntRange(0), help="Of what is drawn. [default: 0]"),
)  # fmt: skip


def generation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the options of writing texts."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def check_usage(sources: dict[str, Any], out: Path | None, prompt: str | None, **how: Any) -> None:
    """Wrong usage where it is not clear what is asked. `sources` are the examples given, by option."""
    given = [option for option, value in sources.items() if value is not None]
    if len(given) > 1 or (not given and prompt is None):
        raise click.UsageError(f"give one of {', '.join(sources)} and --generate")
    if prompt is not None:
        if out is not None:
            raise click.UsageError("--out goes with outputs: texts are shown")
        return
    for name, value in how.items():
        if value is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --generate")


def write_text(
    program: Program, model: str, weights: Path, backend: str, as_json: bool, examples: Callable[[str], Any] | None,
    prompt: str, length: int | None, temperature: float | None, top_k: int | None, seed: int | None,
) -> None:  # fmt: skip
    """Show what the model writes: after the prompt where it goes on from it, alone where it answers.

    `examples` gives what it writes about, a line for each, by input, but for the input of what is written.
    """
    from dlspec.runtime.generation import Choice, generate, generate_about, writing_form

    if temperature is None:
        temperature = 1.0 if top_k is not None else 0.0  # the best of several is the best of all
    choice = Choice(temperature, top_k, seed or 0)
    form = writing_form(program, model)
    how = (program, model, weights, backend)
    if examples is not None:
        texts = generate_about(*how, examples(form.written.name), prompt, length or LENGTH, choice)
        shown = {"beginning": prompt, "texts": texts}
    else:
        text = generate(*how, prompt, length or LENGTH, choice)
        texts = [text if form.given else prompt + text]
        shown = {"prompt": prompt, "text": text}
    if as_json:
        echo_json({"ok": True, **shown})
    else:
        click.echo("\n".join(texts))
