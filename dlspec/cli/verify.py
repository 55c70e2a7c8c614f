"""`dlspec verify`: the table of errors, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from dlspec.cli.data import data_options
from dlspec.diagnostics import fail
from dlspec.ir.graph import Program

BACKENDS = ("torch", "keras", "onnx")


@click.command(
    "verify", help="Compare all backends: outputs, gradients, trained weights. Exits 1 beyond tolerance."
)
@spec_argument
@click.option("--backends", default=",".join(BACKENDS), show_default=True, help="Which, separated by commas.")
@click.option("--train-steps", type=click.IntRange(min=0), default=0, help="Compare weights after N steps.")
@click.option("--f64", "double", is_flag=True, help="Double precision: tells a wrong formula from rounding.")
@click.option("--tolerance", type=click.FloatRange(min=0), help="Instead of the stated ones.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the initial weights.")
@model_option
@data_options
@set_option
@json_option
@guarded
def verify_command(
    spec: Path, backends: str, train_steps: int, double: bool, tolerance: float | None, seed: int,
    model: str | None, settings: tuple[str, ...], as_json: bool, sources: tuple[str, ...], fold: int | None,
) -> None:  # fmt: skip
    chosen = [name.strip() for name in backends.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in BACKENDS]
    if unknown or not chosen:
        raise click.UsageError(f"--backends takes {', '.join(BACKENDS)}, not `{backends}`")
    program = load(spec, settings)
    name = choose_model(program, model)
    program = _with_data(program, name, sources, fold)
    from dlspec.runtime.verify import verify

    with _telling() as tell:
        report = verify(
            program, name, backends=chosen, train_steps=train_steps, double=double, seed=seed, tolerance=tolerance,
            tell=tell,
        )  # fmt: skip
    if as_json:
        echo_json(report.as_dict())
    else:
        _draw(report)
    sys.exit(0 if report.ok else 1)


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Shows on a terminal what is computed: of large models and long trainings that takes minutes."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("printing the code") as status:
        yield lambda what: status.update(f"computing {escape(what)}")


def _with_data(program: Program, model: str, sources: tuple[str, ...], fold: int | None) -> Program:
    """The program that reads what is asked for, checked as `dlspec train` does."""
    if not sources and fold is None:
        return program
    from dlspec.runtime.data_check import check_data, with_fold, with_sources

    program = with_sources(program, sources)
    trained_on = {training.data: training for training in program.trainings_of(model)}
    if not trained_on:
        raise fail("DLS0806", f"the spec does not train `{model}`", hint="leave out `--source` and `--fold`")
    for data, training in trained_on.items():
        program = with_fold(program, training, fold)
        check_data(program, program.data[data])
    return program


def _draw(report: Any) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("compared", "between", "error", "tolerance", "worst tensor", ""):
        table.add_column(title, no_wrap=True)
    for check in report.checks:
        verdict = Text("same", style="green") if check.ok else Text("DIFFERENT", style="bold red")
        error = "-" if check.error is None else f"{check.error:.1e}"
        cells = (check.what, f"{check.left} / {check.right}", error, f"{check.tolerance:.0e}", check.tensor)
        table.add_row(*(Text(cell) for cell in cells), verdict)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(Text(f"{report.model} in {report.precision}\n"))
    console.print(table)
    if report.noise:
        console.print(Text(f"\nnot compared, as their true gradient is zero: {', '.join(report.noise)}"))
    for run in (run for run in report.trajectories if run.chaos is not None):
        console.print(
            Text(
                f"\nchaos floor of {run.training} in {run.precision}: {run.chaos:.1e} between PyTorch and itself after "
                f"{run.steps} steps from weights disturbed by 1e-07"
            )
        )
    for note in report.notes:
        console.print(Text(f"\n{note}"))
