"""What there is to say of a run, from the files in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dlspec.draw import draw
from dlspec.ir.data import DataSet, validation_split
from dlspec.ir.graph import Program
from dlspec.ir.training import Step, Training
from dlspec.runtime.report.samples import samples
from dlspec.runtime.runs import Run, read_program, read_run
from dlspec.summary import Summary, summarize

LARGEST = 200  # layers in the table of a model
CLASSES = 50  # values of a column that are listed one by one
ROWS = 20_000  # examples that are looked at for the summary of the data
STREAMED = 500  # of a stream, which may be long to decode


def facts(folder: Path) -> dict[str, Any]:
    """What the template is told."""
    run, program = read_run(folder), read_program(folder)
    if run is None or program is None:
        raise FileNotFoundError(f"{folder} is not the folder of a run")
    training = program.trainings[run.training]
    data = program.data[training.data]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    history, results = metrics["history"], metrics["results"]
    head = validation_split(data) if data.split else ""
    columns = _columns(folder, data)
    return {
        "run": run,
        "training": training,
        "data": data,
        "head": head,
        "title": training.name,
        "results": {split: _numbers(values) for split, values in results.items()},
        "names": list(dict.fromkeys(name for values in results.values() for name in _numbers(values))),
        "tables": _tables(results),
        "curves": curves(history, head),
        "places": [round(r["steps"]) for r in history] if data.environment is not None else None,
        "unit": "step" if data.environment is not None else "epoch",
        "by_step": _by_step(folder),
        "history": history,
        "names_of_all": list(dict.fromkeys(name for result in history for name in result)),
        "best": _best(training, history),
        "models": [_model(program, name, key) for name, key in training.models.items()],
        "columns": columns,
        "samples": samples(folder, program, training, columns.pop("held_out")),
        "settings": _settings(run, training),
    }


def curves(history: list[dict[str, float]], head: str) -> dict[str, dict[str, list[float]]]:
    """What an epoch has, by what it is: ``loss`` of training and ``val_loss`` go together."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in dict.fromkeys(
        name for result in history for name in result if name not in ("seconds", "epoch", "steps")
    ):
        quantity = name.removeprefix(f"{head}_")
        side = "train" if quantity == name else head
        found.setdefault(quantity, {})[side] = [result.get(name, float("nan")) for result in history]
    return found


def _by_step(folder: Path) -> tuple[list[int], dict[str, list[float]]] | None:
    """What ``steps.jsonl`` has, where the spec has `log`: the steps, and each quantity."""
    file = folder / "steps.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []
    if not lines:
        return None
    names = dict.fromkeys(name for line in lines for name in line if name != "step")
    return [line["step"] for line in lines], {
        name: [line.get(name, float("nan")) for line in lines] for name in names
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in values.items() if not isinstance(value, list)}


def _tables(results: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, list[list[float]]]]:
    """Results that are tables of numbers, of the last split, which was not trained on."""
    if not results:
        return []
    split, values = list(results.items())[-1]
    return [
        (name, split, v) for name, v in values.items() if isinstance(v, list) and v and isinstance(v[0], list)
    ]


def _best(training: Training, history: list[dict[str, float]]) -> int | None:
    """The epoch whose weights were kept, from 0; the rule is that of the printed code."""
    if training.best is None or not history:
        return None
    rule, best = training.best, 0
    sign = -1 if rule.goal == "min" else 1
    for epoch, result in enumerate(history):
        if sign * (result[rule.metric] - history[best][rule.metric]) > rule.min_delta:
            best = epoch
    return best


def _model(program: Program, name: str, key: str) -> dict[str, Any]:
    """A model's drawing and its layers."""
    alone = program.model_copy(update={"models": {**program.models, name: key}})
    summary: Summary = summarize(alone, name)
    rows = [row for row in summary.rows if row.parameters or row.depth == 0]
    return {
        "name": program.graphs[key].name if name == "model" else name,
        "drawing": Markup(draw(alone, name)),  # names of the spec are escaped there
        "summary": summary,
        "rows": rows[:LARGEST],
        "more": max(0, len(rows) - LARGEST),
    }


def _columns(folder: Path, data: DataSet) -> dict[str, Any]:
    """The splits, and for each column its type and values, read by the run's own ``data.py``."""
    import numpy as np

    from dlspec.runtime.project import load_project

    if data.environment is not None:  # its examples come from playing
        world = [(name, str(kind), "") for name, kind in data.columns.items()]
        return {"sizes": {}, "rows": world, "trouble": "", "held_out": {}}
    try:
        project = load_project({"data.py": (folder / "code" / "data.py").read_text("utf-8")})
        splits = {split: project.data.load(split) for split in data.split}
        sizes = {split: len(next(iter(columns.values()))) for split, columns in splits.items()}
        if data.stream is not None:  # the rows alone
            splits = {
                split: project.data.take(columns["row"][:STREAMED]) for split, columns in splits.items()
            }
    except (
        Exception
    ) as error:  # the data has gone, or is read by something that is not there: the rest is still told
        return {"sizes": {}, "rows": [], "trouble": str(error), "held_out": {}}
    first = next(iter(splits.values()))
    names = project.data.categories() if data.categories else {}
    rows = []
    for name, values in first.items():
        some = np.asarray(values[:ROWS])
        kind = f"{some.dtype}{list(some.shape[1:]) or ''}"
        rows.append((name, kind, _values(some, names.get(name))))
    return {"sizes": sizes, "rows": rows, "trouble": "", "held_out": list(splits.values())[-1]}


def _values(some: Any, names: Sequence[str] | None = None) -> str:
    """What is in a column, in words: each class with its count, or the range of numbers."""
    import numpy as np

    if some.dtype.kind in "iub" and some.ndim == 1:
        values, counts = np.unique(some, return_counts=True)
        if len(values) <= CLASSES:
            called = [names[value] or "others" for value in values] if names else values
            told = ", ".join(f"{value} ({count})" for value, count in zip(called, counts, strict=True))
            return f"{len(values)} values: {told}"
    if some.dtype.kind not in "iubf" or not some.size:
        return ""
    return f"{some.min():.4g} to {some.max():.4g}, mean {some.mean():.4g}, deviation {some.std():.4g}"


def _settings(run: Run, training: Training) -> dict[str, str]:
    """What the spec and the command line say of the training, in words."""
    fold = [] if run.fold is None else ["--fold", str(run.fold)]
    given = [*run.arguments, *fold, *(word for source in run.sources for word in ("--source", source))]
    steps = {" and ".join(step.updates): _optimizer(step) for step in training.steps}
    alone = next(iter(steps.values())) if len(training.steps) == 1 else ""
    asked = dict(zip(run.arguments[::2], run.arguments[1::2], strict=False))
    lasts = ("steps", training.max_steps) if training.max_steps else ("epochs", training.epochs)
    return {
        "arguments": " ".join(given) or "none",
        "optimizer": alone or "; ".join(f"{optimizer} for {updates}" for updates, optimizer in steps.items()),
        "batch size": str(training.batch_size * training.accumulate),
        lasts[0]: asked.get("--epochs", f"{lasts[1]:,}"),
        "seed": asked.get("--seed", str(training.seed)),
    }


def _optimizer(step: Step) -> str:
    """The optimizer with its rate, and what was said of it besides."""
    optimizer: Any = step.optimizer
    fields = {"lr": optimizer.lr, **optimizer.model_dump(exclude_defaults=True)}
    name = fields.pop("kind")
    rate = {"lr": "by a schedule"} if step.rate is not None else {}
    groups = {"groups": " ".join(group.path for group in step.groups)} if step.groups else {}
    return f"{name}({', '.join(f'{key} = {value}' for key, value in (fields | rate | groups).items())})"
