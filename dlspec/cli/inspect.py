"""Commands that look at a spec and change nothing: check, summary, ir."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from dlspec.cli.common import (
    choose_model,
    echo_json,
    guarded,
    json_option,
    load,
    model_option,
    set_option,
    show,
    spec_argument,
)  # fmt: skip
from dlspec.diagnostics import SpecError
from dlspec.ir.graph import Program
from dlspec.summary import Row, Summary, summarize


@click.command("check", help="Parse and validate specs. Exits 1 when any has errors.")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path))
@set_option
@json_option
def check_command(specs: tuple[Path, ...], settings: tuple[str, ...], as_json: bool) -> None:
    found = []
    for spec in specs:
        try:
            program = load(spec, settings)
        except SpecError as error:
            found += error.diagnostics
        else:
            if not as_json:
                click.echo(f"{spec}: {_contents(program)}")
    if found:
        show(found, as_json)
        sys.exit(1)
    if as_json:
        echo_json({"ok": True, "diagnostics": []})


def _contents(program: Program) -> str:
    parts = [
        f"model {', '.join(program.models)}" if program.models else "",
        f"data {', '.join(program.data)}" if program.data else "",
        f"train {', '.join(program.trainings)}" if program.trainings else "",
    ]
    return "fine (" + "; ".join(p for p in parts if p) + ")" if any(parts) else "fine"


@click.command("summary", help="Layers, shapes, parameters, multiply-accumulates, memory.")
@spec_argument
@model_option
@set_option
@json_option
@guarded
def summary_command(spec: Path, model: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    program = load(spec, settings)
    summary = summarize(program, choose_model(program, model))
    if as_json:
        echo_json(summary.as_dict())
    else:
        _draw(summary)


def _draw(summary: Summary) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title_justify="left", header_style="bold")
    for title, justify in (("layer", "left"), ("operator", "left"), ("output", "left"),
                           ("parameters", "right"), ("MACs", "right")):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=title != "operator")  # type: ignore[arg-type]
    for row in summary.rows:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    wide = None if sys.stdout.isatty() else 120
    console = Console(width=wide, highlight=False)
    inputs = ", ".join(f"{n}: {t}" for n, t in summary.inputs.items())
    outputs = ", ".join(f"{n}: {t}" for n, t in summary.outputs.items())
    console.print(Text(f"{summary.model}: {inputs} -> {outputs}\n"))
    console.print(table)
    state = f" and {summary.state:,} values of state" if summary.state else ""
    console.print(Text(f"\n{summary.parameters:,} parameters{state}, {_bytes(summary.weight_bytes)}"))
    console.print(Text(f"{_number(summary.macs)} multiply-accumulates for one example"))
    if isinstance(summary.activation_bytes, int):
        console.print(Text(f"{_bytes(summary.activation_bytes)} of intermediate values for one example"))


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    times = f" x{row.repeat}" if row.repeat > 1 else ""
    return (
        "  " * row.depth + (row.name or "·"),
        row.operator + times,
        row.output,
        f"{row.parameters:,}" if row.parameters else "",
        _number(row.macs) if row.macs != 0 else "",
    )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _bytes(count: int) -> str:
    amount, units = float(count), ["bytes", "KB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


@click.command("ir", help="The checked program as JSON; with --schema its JSON schema.")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@set_option
@click.option("--schema", is_flag=True, help="Print the JSON schema of the IR.")
@json_option
@guarded
def ir_command(spec: Path | None, settings: tuple[str, ...], schema: bool, as_json: bool) -> None:
    if schema:
        click.echo(json.dumps(Program.model_json_schema(mode="serialization"), indent=2))
        return
    if spec is None:
        raise click.UsageError("give a spec, or --schema")
    program = load(spec, settings)
    click.echo(program.model_dump_json(indent=2))
