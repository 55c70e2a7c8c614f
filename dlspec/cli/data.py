"""Which data a command reads: `--source` and `--fold`, else what a run remembers of its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from dlspec.ir.graph import Program
from dlspec.ir.training import Training

ALL = "all"
FOLD_HELP = "Which fold is judged by, of `split = folds(k)`."

source_option = click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="DATA=FILE.py:FUNCTION",
    help="Read a data set by a function.",
)
fold_option = click.option("--fold", type=click.IntRange(min=0), help=FOLD_HELP)


class Fold(click.ParamType):
    """The number of a fold, or `all`."""

    name = "NUMBER|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == ALL else click.IntRange(min=0).convert(value, param, ctx)


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the options of what is read."""
    return source_option(fold_option(command))


def with_data(
    program: Program,
    training: Training,
    sources: tuple[str, ...],
    fold: int | None,
    weights: Path | None = None,
) -> Program:
    """The program that reads what is asked for; where nothing is, what the run of these `weights` was trained on."""
    from dlspec.runtime.data_check import with_fold, with_sources

    kept = list(_remembered(program, training, weights, sources, fold)) if weights else []
    if kept:
        words = " ".join(f"{option} {value}" for option, value in kept)
        click.echo(f"note: {words}, as these weights were trained", err=True)
    sources = (*(str(value) for option, value in kept if option == "--source"), *sources)
    fold = next((int(value) for option, value in kept if option == "--fold"), fold)
    return with_fold(with_sources(program, sources), training, fold)


def _remembered(
    program: Program, training: Training, weights: Path, sources: tuple[str, ...], fold: int | None
) -> Iterator[tuple[str, str | int]]:
    """What ``run.json`` beside the weights says and the command does not; only what still fits the spec."""
    from dlspec.runtime.runs import read_run

    run = read_run(weights.parent)
    if run is None or run.training != training.name:
        return
    given = {each.partition("=")[0] for each in sources}
    for each in run.sources:
        name, _, place = each.partition("=")
        if name in program.data and name not in given:
            yield "--source", f"{name}={Path(run.cwd, place)}"
    rule = program.data[training.data].split_rule
    if fold is None and run.fold is not None and rule is not None and run.fold < rule.folds:
        yield "--fold", run.fold


def trained_by(program: Program, weights: Path) -> str | None:
    """The training of the spec whose run these weights are of, None where that is not known."""
    from dlspec.runtime.runs import read_run

    run = read_run(weights.parent)
    return run.training if run is not None and run.training in program.trainings else None
