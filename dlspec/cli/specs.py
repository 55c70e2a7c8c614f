"""`dlspec specs`: the specs that come with dlspec."""

from __future__ import annotations

import sys
from typing import Any

import click

from dlspec.cli.common import echo_json, guarded, json_option


@click.command(
    "specs",
    help="List the specs that come with dlspec, or print one: `dlspec specs vision/resnet > net.dls`. Other "
    "commands take them as `zoo:vision/resnet`.",
)
@click.argument("name", required=False)
@click.option("--path", "as_path", is_flag=True, help="Say where the spec's file is instead of printing it.")
@json_option
@guarded
def specs_command(name: str | None, as_path: bool, as_json: bool) -> None:
    from dlspec import zoo

    if name is not None:
        path = zoo.shipped(name)
        click.echo(path if as_path else zoo.read_text(path), nl=as_path)
        return
    if as_path:
        raise click.UsageError("--path needs the name of a spec")
    rows = _rows()
    if as_json:
        echo_json(rows)
    else:
        _draw(rows)


def _rows() -> list[dict[str, Any]]:
    """A row a spec: its name, group, file, what it is, and the parameters of each of its models."""
    from dlspec import zoo

    return [
        {
            "spec": name,
            "group": name.partition("/")[0],
            "path": str(path),
            "about": zoo.about(path),
            "models": {e.model: e.fact.parameters for e in zoo.entries() if e.spec == name},
        }
        for name, path in zoo.specs().items()
    ]


def _draw(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("spec", no_wrap=True)
    table.add_column("what it is", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("model", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for row in rows:
        names = "\n".join(row["models"])
        parameters = "\n".join(f"{number:,}" for number in row["models"].values())
        table.add_row(*(Text(cell) for cell in (row["spec"], row["about"], names, parameters)))
    Console(width=None if sys.stdout.isatty() else 120, highlight=False).print(table)
