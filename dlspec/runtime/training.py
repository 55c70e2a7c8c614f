"""Trainings outside their own process: initial weights, and evaluation of trained ones on any backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.project import print_project
from dlspec.emit.training_names import attribute_names
from dlspec.ir.graph import Program
from dlspec.ir.training import TrainedWeights, Training
from dlspec.passes.totals import split_totals
from dlspec.runtime.conversion import convert_weights
from dlspec.runtime.data_check import load_split, reading
from dlspec.runtime.interpreter import run
from dlspec.runtime.kept import use_kept
from dlspec.runtime.project import load_project
from dlspec.runtime.stages import handed_on
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import check_weights, load_weights


def initial_weights(
    program: Program,
    training: Training,
    seed: int | None,
    weights: Path | None = None,
    earlier: Mapping[str, Path] | None = None,
    fresh: Sequence[str] = (),
) -> dict[str, Any]:
    """The weights that a training begins with, by canonical name: given, those of its `init_from`, or drawn.

    fresh
        paths of what is drawn although there are `weights`, such as a head for other classes.
    earlier
        the files that earlier trainings of the spec ended with, by their names.
    """
    wanted = as_model(program, training)
    seed = training.seed if seed is None else seed
    if weights and fresh:
        arrays = convert_weights(*wanted, weights, None, seed, fresh).arrays()
    elif weights:
        arrays = load_weights(weights)
    elif training.init_from:
        arrays = _from_files(program, training, *wanted, seed, earlier or {})
    else:
        arrays = draw_weights(*wanted, seed)
    for copy in training.copies:  # what follows another begins as a copy of it
        if copy.target not in training.init_from and weights is None:
            own = {n: a for n, a in arrays.items() if n.startswith(f"{copy.source}.")}
            arrays |= {copy.target + n.removeprefix(copy.source): a for n, a in own.items()}
    check_weights(*wanted, arrays)
    return arrays


def _from_files(
    program: Program, training: Training, together: Program, name: str, seed: int, earlier: Mapping[str, Path]
) -> dict[str, Any]:
    """Weights as `init_from` says; models that it does not name are drawn."""
    whole = training.init_from.get("")
    if isinstance(whole, TrainedWeights):
        return {**draw_weights(together, name, seed), **handed_on(program, whole, earlier)}
    if whole is not None:
        return convert_weights(together, name, whole.file, whole.mapping, seed, whole.fresh).arrays()
    arrays = draw_weights(together, name, seed)
    for model, given in training.init_from.items():
        head = f"{model}." if len(training.models) > 1 else ""
        if isinstance(given, TrainedWeights):
            made = handed_on(program, given, earlier)
        else:
            alone = program.model_copy(update={"models": {model: training.models[model]}})
            made = convert_weights(alone, model, given.file, given.mapping, seed, given.fresh).arrays()
        arrays |= {head + weight: array for weight, array in made.items()}
    return arrays


def as_model(program: Program, training: Training) -> tuple[Program, str]:
    """A program and model whose weights are those of a training: of several models, names begin with theirs."""
    keys = list(training.models.values())
    if len(keys) == 1:
        return program.model_copy(
            update={"models": {**program.models, training.name: keys[0]}}
        ), training.name
    return _calling(program, training.models)


def _calling(program: Program, models: dict[str, str]) -> tuple[Program, str]:
    """A graph that calls every model once, so that its weights are theirs under their names."""
    from dlspec.ir.builder import Builder

    builder = Builder("Models")
    for name, key in models.items():
        graph = program.graphs[key]
        inputs = [builder.input(f"{name}_{value.name}", value.type) for value in graph.inputs]
        builder.call(key, graph, inputs, name=name)
    graphs = {**program.graphs, "%models": builder.build()}
    return program.model_copy(update={"graphs": graphs, "models": {"%models": "%models"}}), "%models"


def evaluate(program: Program, training: Training, weights: Path, backend: str, split: str) -> dict[str, Any]:
    """Loss and metrics (numbers, and tables as lists) on a split, computed by the printed code, or by ONNX Runtime."""
    arrays = initial_weights(program, training, None, weights)
    if backend == "onnx":
        return _evaluate_onnx(program, training, arrays, split, weights)
    project = load_project(print_project(program, training.name, load_backend(backend)))
    live = project.new_training()
    attributes = list(attribute_names(training, load_backend(backend)).values())
    root = getattr(live, attributes[0]) if len(attributes) == 1 else live
    project.weights.load(root, weights)
    result: dict[str, Any]
    if program.data[training.data].environment is not None:
        result = project.train.evaluate(live)
    else:
        use_kept(project.data, weights)
        result = live.evaluate(
            reading(program, program.data[training.data], lambda: project.data.load(split))
        )
    return result


def _evaluate_onnx(
    program: Program, training: Training, arrays: dict[str, Any], split: str, weights: Path
) -> dict[str, Any]:
    """The graph of loss and metrics as one ONNX model, run on the whole split."""
    from dlspec.diagnostics import fail
    from dlspec.runtime.onnx import predict, session, to_model

    if program.data[training.data].environment is not None:
        raise fail("DLS0721", f"`train {training.name}` plays in a world, which ONNX Runtime cannot",
                   hint="give `--backend torch` or `--backend keras`")  # fmt: skip
    if training.evaluate is None:
        raise fail(
            "DLS0721", f"`train {training.name}` has no metrics to evaluate", hint="add `metrics = { ... }`"
        )
    gathered = split_totals(program, training.evaluate)
    measured = gathered.program if gathered else program
    key = gathered.batch if gathered else training.evaluate
    text = print_onnx(
        measured.model_copy(update={"models": {"evaluate": key}}), "evaluate", load_backend("onnx")
    )
    names = list(training.models)
    prefix = f"{names[0]}." if len(names) == 1 else ""
    model = to_model(text, {prefix + name: array for name, array in arrays.items()})
    outputs = [output.name for output in measured.graphs[key].outputs]
    found = predict(session(model), load_split(program, training, split, weights), outputs)
    if gathered:
        parts = {name: found[name] for name in (*gathered.sums, *gathered.rows)}
        found |= run(gathered.program, gathered.final, parts, {}, double=True)
    wanted = (output.name for output in program.graphs[training.evaluate].outputs)
    return {name: found[name].tolist() for name in wanted}
