"""`dlspec train`: print the training code, run it, watch it; go on with a run that was stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

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
from dlspec.cli.folds import folds_of, report_folds
from dlspec.cli.progress import Watch, shown
from dlspec.cli.run import backend_option, choose_training, numbers
from dlspec.diagnostics import fail
from dlspec.ir.graph import Program
from dlspec.ir.training import Training

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
) -> None:  # fmt: skip
    if resume is not None:
        if spec is not None:
            raise click.UsageError("`--resume RUN` goes on with what is in RUN: leave SPEC out")
        _resume(resume, as_json, tensorboard)
        return
    if spec is None:
        raise click.UsageError("Missing argument 'SPEC'.")
    from dlspec.runtime.data_check import with_sources

    program = with_sources(load(spec, settings), sources)
    order = _Order(
        program, spec, backend, out, force, again, seed, epochs, weights, tensorboard, as_json, sources
    )
    names = order.names(name)
    if fold != ALL:
        assert not isinstance(fold, str)
        order.train(names, fold)
        return
    last = choose_training(program, names[-1] if names else None)
    folders = []
    for number in range(count := folds_of(program, last)):
        click.echo(f"fold {number} of {count}", err=as_json)
        folders.append(order.train(names, number, f"fold-{number}"))
    report_folds(folders, as_json)


@dataclass
class _Order:
    """A command to train: the spec's program, and what the command line says besides."""

    program: Program
    spec: Path
    backend: str
    out: Path | None
    force: bool
    again: bool
    seed: int | None
    epochs: int | None
    weights: Path | None
    tensorboard: bool
    as_json: bool
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        base = Path("runs") / f"{self.spec.stem}-{self.backend}"
        earlier = [self.out] if self.out else sorted(base.parent.glob(f"{base.name}*"))
        self.base = self.out or base
        self.known = [folder for root in earlier for folder in (root, *sorted(root.glob("fold-*")))]

    def names(self, name: str | None) -> list[str]:
        """The trainings to be run, in order."""
        from dlspec.runtime.stages import stages

        return stages(self.program, name and choose_training(self.program, name).name)

    def train(self, names: list[str], fold: int | None, within: str = "") -> Path:
        """Train by a fold, unless that was done before; the folder of the last training. `within` the folder of all."""
        from dlspec.runtime.data_check import with_fold

        last = choose_training(self.program, names[-1] if names else None)
        program = with_fold(self.program, last, fold)
        earlier: dict[str, Path] = {}
        folder = self.base
        for stage in names:
            asked = _Asked(self, program, stage, fold, self.weights if stage == last.name else None, earlier)
            base, known = self._place(within), self.known
            if len(names) > 1:
                click.echo(f"train {stage}", err=self.as_json)
                known = [folder for root in known for folder in sorted(root.glob(f"{stage}*"))]
                base /= stage
            quiet = self.as_json and (stage != last.name or bool(within))
            found = None if self.again else _trained_before(known, asked.fingerprint)
            if found is not None:
                if not quiet:
                    _report(found, self.as_json, BEFORE)
                folder = found
            else:
                asked.check()
                folder = base if self.out else _free_folder(base)
                force = self.force or (self.again and _same(folder, asked.fingerprint))
                asked.write(prepare_folder(folder, force))
                _train(folder, self.as_json, self.tensorboard, quiet=quiet)
            earlier[stage] = folder / "weights.safetensors"
        return folder

    def _place(self, fold: str) -> Path:
        """Where a training is kept: of all folds, each has a folder within one."""
        whole = self.out or self.base.with_name(f"{self.base.name}-folds")
        return whole / fold if fold else self.base


def processes_on(backend: str, training: Training) -> int:
    """How many processes a training is done by; a note where the backend has one only, and the spec wants more."""
    if training.parallel is None:
        return 1
    if backend != "torch":
        click.echo(f"note: {backend} trains in a single process: `parallel` is for PyTorch", err=True)
        return 1
    return training.parallel.data


class _Asked:
    """A training that is asked for: its printed files and initial weights, and their fingerprint."""

    def __init__(
        self, order: _Order, program: Program, name: str | None, fold: int | None, weights: Path | None,
        earlier: Mapping[str, Path],
    ) -> None:  # fmt: skip
        from dlspec.emit.manifest import load_backend
        from dlspec.emit.project import print_project
        from dlspec.runtime.data_check import modules
        from dlspec.runtime.runs import Run, environment, fingerprint
        from dlspec.runtime.training import initial_weights

        training, backend, epochs, seed = (
            choose_training(program, name),
            order.backend,
            order.epochs,
            order.seed,
        )
        self.program, data = program, program.data[training.data]
        need(backend, *modules(data))
        if epochs is not None and data.environment is not None:
            raise click.UsageError("--epochs: a world has no epochs; `max_steps` says how long it plays")
        self.files = print_project(program, training.name, load_backend(backend))
        self.weights = initial_weights(program, training, seed, weights, earlier)
        options = (("--epochs", epochs), ("--seed", seed))
        arguments = [text for option, value in options if value is not None for text in (option, str(value))]
        self.fingerprint = fingerprint(self.files, self.weights, arguments, data)
        self.run = Run(
            str(order.spec), training.name, backend, self.fingerprint, arguments, str(Path.cwd()),
            processes_on(backend, training), sources=list(order.sources), fold=fold, environment=environment(backend),
        )  # fmt: skip

    def check(self) -> None:
        """Read the data, and raise `SpecError` where it does not fit."""
        from dlspec.runtime.data_check import check_data

        training = self.program.trainings[self.run.training]
        check_data(self.program, self.program.data[training.data])

    def write(self, folder: Path) -> None:
        """The folder of the run, ready to be trained in."""
        from dlspec.runtime.project import write_project
        from dlspec.runtime.runs import PROGRAM
        from dlspec.weights.store import save_weights

        write_project(self.files, folder / "code")
        save_weights(folder / "code" / "weights.safetensors", self.weights)
        (folder / PROGRAM).write_text(self.program.model_dump_json(), "utf-8")
        self.run.write(folder)


def _train(
    folder: Path, as_json: bool, tensorboard: bool, more: Sequence[str] = (), quiet: bool = False
) -> None:
    """Run the code of a run's folder, and report."""
    from dlspec.runtime.project import ProjectError, run_training
    from dlspec.runtime.report import write_report
    from dlspec.runtime.runs import read_run
    from dlspec.runtime.tensorboard import EventFile

    code, run = folder / "code", read_run(folder)
    assert run is not None
    start = time.perf_counter()
    run.status = "failed"
    events = EventFile(folder) if tensorboard else None
    watch = Watch(as_json, events.update if events else None)
    arguments = [*run.arguments, "--out", str(folder.resolve()), *more]
    try:
        with shown(watch):
            run_training(code, arguments, on_line=watch.line, on_event=watch.event, cwd=run.cwd,
                         processes=run.processes)  # fmt: skip
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
            hint="give the folder that `dlspec train` wrote",
        )
    if run.status == "finished":
        _report(folder, as_json, "this run is finished")
        return
    if not (folder / "code" / "checkpoints.py").is_file():
        raise fail("DLS0816", f"the run in `{folder}` writes no checkpoints, so there is nothing to go on from",
                   hint="add `checkpoint = { epochs: 1 }` to the `train` of the spec, and train it anew")  # fmt: skip
    need(run.backend)
    _train(folder, as_json, tensorboard, ["--resume"])


def _trained_before(folders: Sequence[Path], fingerprint: str) -> Path | None:
    """The folder of a finished run of the same; one that was stopped is only mentioned."""
    from dlspec.runtime.runs import same_run

    if (found := same_run(folders, fingerprint)) is None:
        return None
    folder, run = found
    if run.status == "finished":
        return folder
    if any(folder.glob("checkpoints/[0-9]*")):
        click.echo(
            f"note: a run of this was stopped: `dlspec train --resume {folder}` goes on with it", err=True
        )
    return None


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
