"""`dlspec sweep`: train with other values of `let`s, and say which are best."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from dlspec.cli.common import choose_model, echo_json, guarded, json_option, load, need, set_option
from dlspec.cli.data import source_option
from dlspec.cli.run import backend_option
from dlspec.diagnostics import fail
from dlspec.ir.graph import Program
from dlspec.ir.sweep import Sweep


@click.command(
    "sweep", help="Train with the candidates of a `sweep`, and say which are best; again: go on with it."
)
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--name", help="Which sweep, where the spec has several.")
@backend_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the sweep [default: runs/SPEC-BACKEND-SWEEP]."
)
@click.option("--trials", type=click.IntRange(min=1), help="Instead of the spec's.")
@source_option
@set_option
@json_option
@guarded
def sweep_command(
    spec: Path, name: str | None, backend: str, out: Path | None, trials: int | None, sources: tuple[str, ...],
    settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    program = load(spec, settings)
    sweep = _chosen(program, name)
    if trials is not None:
        sweep = sweep.model_copy(update={"trials": trials})
    need(backend, "optuna", "filelock")
    from dlspec.runtime.sweep import Running, train_command

    more = [word for text in settings for word in ("--set", text)]
    more += [word for text in sources for word in ("--source", text)]
    folder = out or Path("runs") / f"{spec.stem}-{backend}-{sweep.name}"
    with closing(Running(sweep, folder, train_command(spec, backend, more))) as running:
        running.run(lambda tried: click.echo(_line(sweep, tried), err=as_json))
        _report(
            sweep,
            running,
            folder,
            shlex.join(["dlspec", "train", str(spec), "--backend", backend, *more]),
            as_json,
        )


def _chosen(program: Program, name: str | None) -> Sweep:
    if not program.sweeps:
        raise fail(
            "DLS0817", "the spec has no `sweep`", hint="add `sweep NAME of TRAIN { lr = [1e-3, 1e-2] }`"
        )
    return program.sweeps[choose_model(program, name, list(program.sweeps))]


def _line(sweep: Sweep, tried: Any) -> str:
    """A trial on a line."""
    values = "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in tried.values.items()
    )
    found = "" if tried.objective is None else f"  {sweep.metric} {tried.objective:.4g}"
    ended = {"complete": "", "pruned": "  stopped early", "fail": f"  failed: {tried.why}"}
    return f"trial {tried.number}  {values}{found}  {tried.seconds:.1f} s{ended[tried.state]}"


def _report(sweep: Sweep, running: Any, folder: Path, command: str, as_json: bool) -> None:
    """All trials, the best first, and the command that trains with its values."""
    from dlspec.runtime.sweep import setting

    every = running.tried()
    done = [tried for tried in every if tried.state == "complete"]
    if not done:
        raise fail("DLS0819", "no trial of the sweep came to its end",
                   hint="train with the values of one by `dlspec train` to see why")  # fmt: skip
    done.sort(key=lambda tried: tried.objective, reverse=sweep.goal == "max")
    best = done[0]
    again = " ".join([command, *(f"--set {shlex.quote(setting(n, v))}" for n, v in best.values.items())])
    if as_json:
        trials = [
            {
                "number": t.number,
                "values": t.values,
                sweep.metric: t.objective,
                "state": t.state,
                "seconds": t.seconds,
            }
            for t in every
        ]
        echo_json({"ok": True, "folder": str(folder), "best": best.number, "values": best.values, "command": again,
                   "trials": trials})  # fmt: skip
        return
    stopped = sum(tried.state == "pruned" for tried in every)
    click.echo(f"\n{len(every)} trials, {stopped} stopped early; the best:")
    for tried in done[:5]:
        click.echo("  " + _line(sweep, tried))
    click.echo(f"folder: {folder}\ntrain with the best values: {again}")
