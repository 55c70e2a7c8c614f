"""`dlspec train`: print the training code, run it, watch it; go on with a run that was stopped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from dlspec.cli.asked import Asked, Order
from dlspec.cli.common import (
    echo_json,
    guarded,
    json_option,
    load,
    need,
    prepare_folder,
    seed_option,
    set_option,
)  # fmt: skip
from dlspec.cli.data import ALL, FOLD_HELP, Fold, source_option
from dlspec.cli.folds import report_folds
from dlspec.cli.progress import Watch, shown
from dlspec.cli.run import backend_option, choose_training, numbers
from dlspec.diagnostics import fail

BEFORE = "this was trained before, and nothing has changed since: `--again` trains it again"


@click.command("train", help="Print the training code into a run folder, run it, keep weights and metrics.")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@backend_option
@click.option("--out", type=click.Path(path_type=Path), help="Run folder [default: runs/SPEC-BACKEND].")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.option("--again", is_flag=True, help="Train even if the same was trained before.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with a run that was stopped.")
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the spec's.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights to begin with.")
@click.option(
    "--fresh", multiple=True, metavar="PATH", help="A layer that is drawn, whatever --weights has for it."
)
@click.option("--name", help="Which training, after those that it begins with [default: all].")
@click.option("--tensorboard", is_flag=True, help="Write event files into the run folder, for TensorBoard.")
@source_option
@click.option("--fold", type=Fold(), help=f"{FOLD_HELP} `all`: each in its turn.")
@set_option
@seed_option
@json_option
@guarded
def train_command(
    spec: Path | None, backend: str, out: Path | None, force: bool, again: bool, resume: Path | None,
    epochs: int | None, weights: Path | None, name: str | None, settings: tuple[str, ...], seed: int | None,
    tensorboard: bool, as_json: bool, sources: tuple[str, ...], fold: int | str | None,
    fresh: tuple[str, ...],
) -> None:  # fmt: skip
    from dlspec.runtime.watched import HELD, end_with_input

    if HELD in os.environ:
        end_with_input()
    if resume is not None:
        if spec is not None:
            raise click.UsageError("`--resume RUN` goes on with what is in RUN: leave SPEC out")
        _resume(resume, as_json, tensorboard)
        return
    if spec is None:
        raise click.UsageError("Missing argument 'SPEC'.")
    if fresh and weights is None:
        raise click.UsageError("`--fresh` says what of `--weights FILE` is not used: give one")
    from dlspec.runtime.data_check import fold_rule, with_sources

    program = with_sources(load(spec, settings), sources)
    order = Order(
        program, spec, backend, out, force, again, seed, epochs, weights, fresh, tensorboard, as_json, sources
    )
    names = order.names(name)
    if fold != ALL:
        assert not isinstance(fold, str)
        _train_all(order, names, fold)
        return
    last = choose_training(program, names[-1] if names else None)
    count, folders = fold_rule(program.data[last.data]).folds, []
    for number in range(count):
        click.echo(f"fold {number} of {count}", err=as_json)
        folders.append(_train_all(order, names, number, f"fold-{number}"))
    report_folds(folders, as_json)


def _train_all(order: Order, names: list[str], fold: int | None, within: str = "") -> Path:
    """Train by a fold, unless that was done before; the folder of the last training. `within` the folder of all."""
    from dlspec.runtime.data_check import with_fold

    last = choose_training(order.program, names[-1] if names else None)
    program = with_fold(order.program, last, fold)
    earlier: dict[str, Path] = {}
    folder = order.base
    for stage in names:
        asked = Asked(order, program, stage, fold, order.weights if stage == last.name else None, earlier)
        base, known = order.place(within), order.known
        if len(names) > 1:
            click.echo(f"train {stage}", err=order.as_json)
            known = [folder for root in known for folder in sorted(root.glob(f"{stage}*"))]
            base /= stage
        quiet = order.as_json and (stage != last.name or bool(within))
        part = len(names) > 1 or bool(within)
        found, finished = (None, False) if order.again else _earlier(known, asked.fingerprint, part)
        folder = found or (base if order.out else _free_folder(base))
        if found is None:
            asked.check()
            force = order.force or ((order.again or part) and _same(folder, asked.fingerprint))
            asked.write(prepare_folder(folder, force))
            _train(folder, order.as_json, order.tensorboard, quiet=quiet)
        elif finished:
            if not quiet:
                _report(folder, order.as_json, BEFORE)
        else:
            click.echo(f"{folder}: this was stopped, and goes on", err=order.as_json)
            _train(folder, order.as_json, order.tensorboard, ["--resume"], quiet=quiet)
        earlier[stage] = folder / "weights.safetensors"
    return folder


def _train(
    folder: Path, as_json: bool, tensorboard: bool, more: Sequence[str] = (), quiet: bool = False
) -> None:
    """Run the code of a run's folder, and report."""
    from dlspec.runtime.project import ProjectError, run_training
    from dlspec.runtime.report import write_report
    from dlspec.runtime.runs import held, read_run
    from dlspec.runtime.tensorboard import EventFile

    code, run = folder / "code", read_run(folder)
    assert run is not None
    start = time.perf_counter()
    run.status = "failed"
    events = EventFile(folder) if tensorboard else None
    watch = Watch(as_json, events.update if events else None)
    arguments = [*run.arguments, "--out", str(folder.resolve()), *more]
    try:
        with held(folder) as lock, shown(watch):
            run_training(code, arguments, on_line=watch.line, on_event=watch.event, cwd=run.cwd,
                         processes=run.processes, inherits=lock)  # fmt: skip
        run.status = "finished"
    except ProjectError as error:
        if watch.cause:
            raise fail("DLS0729", *watch.cause) from None
        head, *said = str(error).splitlines()
        if not as_json:
            click.echo("\n".join(said), err=True)
        raise fail("DLS0720", f"training did not finish: {said[-1] if said else head}",
                   hint=f"the code that ran is in {code}") from None  # fmt: skip
    except KeyboardInterrupt:
        run.status = "running"
        raise
    finally:
        run.seconds += time.perf_counter() - start
        run.write(folder)
    try:
        write_report(folder)
    except Exception as error:  # the training itself is done, and its results are there
        click.echo(f"note: the report could not be written: {error!r}", err=True)
    if not quiet:
        _report(folder, as_json)


def _resume(folder: Path, as_json: bool, tensorboard: bool) -> None:
    from dlspec.runtime.runs import read_run

    run = read_run(folder)
    if run is None:
        raise fail(
            "DLS0815",
            f"`{folder}` is not the folder of a run",
            hint=f"it holds runs, such as {parts[0].parent}: the command that began them goes on with them"
            if (parts := sorted(folder.glob("*/run.json")))
            else "give the folder that `dlspec train` wrote",
        )
    if run.status == "finished":
        _report(folder, as_json, "this run is finished")
        return
    if not (folder / "code" / "checkpoints.py").is_file():
        raise fail("DLS0816", f"the run in `{folder}` writes no checkpoints, so there is nothing to go on from",
                   hint="add `checkpoint = { epochs: 1 }` to the `train` of the spec, and train it anew")  # fmt: skip
    need(run.backend)
    _train(folder, as_json, tensorboard, ["--resume"])


def _earlier(folders: Sequence[Path], fingerprint: str, part: bool) -> tuple[Path | None, bool]:
    """The folder of a run of the same, and whether it is finished.

    One that was stopped counts as `part` of several; alone it is only mentioned.
    """
    from dlspec.runtime.runs import same_run

    if (found := same_run(folders, fingerprint)) is None:
        return None, False
    folder, run = found
    if run.status == "finished":
        return folder, True
    if any(folder.glob("checkpoints/[0-9]*")):
        if part:
            return folder, False
        click.echo(
            f"note: a run of this was stopped: `dlspec train --resume {folder}` goes on with it", err=True
        )
    return None, False


def _same(folder: Path, fingerprint: str) -> bool:
    from dlspec.runtime.runs import read_run

    return (run := read_run(folder)) is not None and run.fingerprint == fingerprint


def _report(folder: Path, as_json: bool, note: str = "") -> None:
    """What a finished run ended with."""
    result = json.loads((folder / "metrics.json").read_text("utf-8"))
    if as_json:
        place = {"folder": str(folder), "weights": str(folder / "weights.safetensors"), "trained": not note}
        echo_json({"ok": True, **place, **result})
        return
    if note:
        click.echo(f"{folder}: {note}")
    for split, values in result["results"].items():
        click.echo(f"{split}: {numbers(values, 4)}")
    click.echo(f"weights: {folder / 'weights.safetensors'}\ncode: {folder / 'code'}")
    if (folder / "report.html").is_file():
        click.echo(f"report: {folder / 'report.html'}")


def _free_folder(base: Path) -> Path:
    """The folder, or with the next free number: earlier runs are kept."""
    folder, count = base, 1
    while folder.exists():
        count += 1
        folder = base.with_name(f"{base.name}-{count}")
    return folder
