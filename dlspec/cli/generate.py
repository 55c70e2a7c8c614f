"""`dlspec predict --generate`: the options, and what is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.common import echo_json

if TYPE_CHECKING:
    from dlspec.ir.graph import Program

OPTIONS = (
    click.option("--generate", "prompt", metavar="TEXT", help="Write on from this text, or answer it."),
    click.option("--length", type=click.IntRange(1), help="Symbols to write at most. [default: 200]"),
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


def writes_text(sources: dict[str, Any], out: Path | None, prompt: str | None, **how: Any) -> bool:
    """Whether a text is asked for; wrong usage where it is not clear. `sources` are the other ways, by option."""
    asked = [*sources.values(), prompt]
    if asked.count(None) != len(asked) - 1:
        raise click.UsageError(f"give one of {', '.join(sources)} and --generate")
    given = [f"--{name.replace('_', '-')}" for name, value in how.items() if value is not None]
    if prompt is None and given:
        raise click.UsageError(f"{given[0]} goes with --generate")
    if prompt is not None and out is not None:
        raise click.UsageError(f"--out goes with {' and '.join(sources)}: a text is shown")
    return prompt is not None


def write_text(
    program: Program, model: str, weights: Path, backend: str, as_json: bool, prompt: str, length: int | None,
    temperature: float | None, top_k: int | None, seed: int | None,
) -> None:  # fmt: skip
    """Show what the model writes: after the prompt where it goes on from it, alone where it answers."""
    from dlspec.runtime.generation import Choice, generate

    if temperature is None:
        temperature = 1.0 if top_k is not None else 0.0  # the best of several is the best of all
    choice = Choice(temperature, top_k, seed or 0)
    text = generate(program, model, weights, backend, prompt, length or 200, choice)
    if as_json:
        echo_json({"ok": True, "prompt": prompt, "text": text})
    else:
        click.echo((prompt if len(program.model(model).inputs) == 1 else "") + text)
