"""What `dlspec train` is asked for, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from dlspec.cli.common import need
from dlspec.cli.run import choose_training
from dlspec.ir.graph import Program
from dlspec.ir.training import Training


@dataclass
class Order:
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
    fresh: tuple[str, ...]
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

    def place(self, fold: str) -> Path:
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


class Asked:
    """A training that is asked for: its printed files and initial weights, and their fingerprint."""

    def __init__(
        self, order: Order, program: Program, name: str | None, fold: int | None, weights: Path | None,
        earlier: Mapping[str, Path],
    ) -> None:  # fmt: skip
        from dlspec.emit.manifest import load_backend
        from dlspec.emit.project import print_project
        from dlspec.runtime.data_check import modules
        from dlspec.runtime.runs import Run, environment, fingerprint
        from dlspec.runtime.training import initial_weights

        training = choose_training(program, name)
        backend, epochs, seed = order.backend, order.epochs, order.seed
        self.program, data = program, program.data[training.data]
        need(backend, *modules(data))
        if epochs is not None and data.environment is not None:
            raise click.UsageError("--epochs: a world has no epochs; `max_steps` says how long it plays")
        self.files = print_project(program, training.name, load_backend(backend))
        fresh = order.fresh if weights else ()
        self.weights = initial_weights(program, training, seed, weights, earlier, fresh)
        options = (("--epochs", epochs), ("--seed", seed))
        arguments = [text for option, value in options if value is not None for text in (option, str(value))]
        self.fingerprint = fingerprint(self.files, self.weights, arguments, data)
        self.run = Run(
            str(order.spec), training.name, backend, self.fingerprint, arguments, str(Path.cwd()),
            processes=processes_on(backend, training), sources=list(order.sources), fold=fold,
            environment=environment(backend),
        )  # fmt: skip

    def check(self) -> None:
        """Read the data, and raise `SpecError` where it does not fit."""
        from dlspec.runtime.data_check import check_batch, check_data

        training = self.program.trainings[self.run.training]
        data = self.program.data[training.data]
        check_batch(self.program, training, check_data(self.program, data))

    def write(self, folder: Path) -> None:
        """The folder of the run, ready to be trained in."""
        from dlspec.runtime.project import write_project
        from dlspec.runtime.runs import PROGRAM
        from dlspec.weights.store import save_weights

        write_project(self.files, folder / "code")
        save_weights(folder / "code" / "weights.safetensors", self.weights)
        (folder / PROGRAM).write_text(self.program.model_dump_json(), "utf-8")
        self.run.write(folder)
