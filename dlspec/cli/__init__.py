"""The command line: `dlspec COMMAND`. Each command's module is imported only when it is used."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from dlspec import __version__

# Command -> (module, one line). The line is here so that `dlspec --help` imports nothing.
COMMANDS = {
    "check": ("inspect", "Parse and validate specs."),
    "summary": ("inspect", "Layers, shapes, parameters, MACs, memory."),
    "draw": ("draw", "Draw a model and its blocks as an SVG picture."),
    "specs": ("specs", "List the specs that come with dlspec, or print one."),
    "ir": ("inspect", "The checked program as JSON, or its JSON schema."),
    "explain": ("explain", "What an error code means, with an example that fails and one that works."),
    "compile": ("write", "Write the code: PyTorch, Keras or ONNX."),
    "export": ("write", "Write a deployable ONNX model; no framework needed."),
    "train": ("train", "Train on the spec's data."),
    "sweep": ("sweep", "Train with the candidates of a `sweep`; which are best?"),
    "evaluate": ("run", "Loss and metrics of trained weights on a split."),
    "predict": ("run", "The model's outputs for arrays in a file."),
    "convert-weights": ("convert", "Weights of another library to those of a spec."),
    "verify": ("verify", "Do all backends compute the same numbers?"),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"dlspec.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from dlspec.diagnostics.suggest import closest

            guess = closest(args[0], list(COMMANDS))
            hint = f" Did you mean `{guess}`?" if guess else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dlspec")
def cli() -> None:
    """dlspec: one spec of a network to readable PyTorch, readable Keras and deployable ONNX."""


def main() -> None:
    """The entry point. Exits 0 on success, 1 on an error of the user's, 2 on wrong usage."""
    try:
        cli(standalone_mode=True)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
