"""The folder of files that a training becomes: model, data, training loop, and weights in and out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dlspec.diagnostics import fail
from dlspec.emit import draws, processes
from dlspec.emit.code import call, literal
from dlspec.emit.data import print_data
from dlspec.emit.manifest import Backend, differentiable_twice
from dlspec.emit.naming import ModuleNames
from dlspec.emit.onnx_files import print_onnx_files
from dlspec.emit.parts import ModelParts
from dlspec.emit.processes import divided_blocks, processes_of
from dlspec.emit.python import print_graphs
from dlspec.emit.training import Model, print_training
from dlspec.emit.training_names import attribute_names
from dlspec.emit.training_runs import print_checkpoints
from dlspec.emit.training_speed import in_half, quicker
from dlspec.emit.weight_file import print_weights
from dlspec.ir.gradients import takes_gradient
from dlspec.ir.graph import Program, reached
from dlspec.ir.training import Training
from dlspec.passes import named_draws, prepare
from dlspec.passes.outline import outline


def print_project(program: Program, name: str, backend: Backend) -> dict[str, str]:
    """The files, by name, of a training; of a model that no training has, ``model.py`` and ``weights.py``.

    They need no dlspec: only the framework, NumPy, safetensors and what the data comes from.
    """
    if backend.language == "onnx" and name in program.models:
        return print_onnx_files(program, name, backend)
    if name in program.trainings:
        return _training_files(program, program.trainings[name], backend)
    if name in program.models:
        return print_model_files(program, name, backend)
    known = ", ".join(dict.fromkeys([*program.trainings, *program.models]))
    raise fail(
        "DLS0801", f"there is no training and no model `{name}`", hint=f"there is {known}" if known else None
    )


def print_model_files(program: Program, model: str, backend: Backend) -> dict[str, str]:
    """A model alone: ``model.py`` and ``weights.py``."""
    key = program.models[model]
    weights = print_weights(program, {"": key}, backend)
    counted = {draws.FILE: draws.print_draws(backend)} if backend.own_imports else {}
    return {"model.py": print_graphs(program, [key], backend), "weights.py": weights, **counted}


def model_class(program: Program, model: str, backend: Backend) -> str:
    """The name of a model's class in its ``model.py``."""
    key = program.models[model]
    plans = outline(prepare(program, [key], backend), [key], backend)
    return ModuleNames(plans, backend).of[plans.of[key].name].name


def _training_files(program: Program, training: Training, backend: Backend) -> dict[str, str]:
    if training.deterministic and _drawn(program, training):
        backend = draws.counted(backend)
    losses = reached(program.graphs, [step.graph for step in training.steps])
    if any(takes_gradient(program.graphs[key]) for key in losses):
        backend = differentiable_twice(backend)
    parallel = processes_of(training, backend)
    written, program = program, quicker(program, training, backend)
    keys = list(dict.fromkeys(training.models.values()))
    printer = in_half(training, backend)
    names = ModuleNames(outline(prepare(program, keys, printer), keys, printer), printer)
    attributes = attribute_names(training, backend)
    trained = training.models if len(training.models) > 1 else {"": keys[0]}
    return {
        "model.py": print_graphs(program, keys, printer),
        "data.py": print_data(program, program.data[training.data]),
        "train.py": print_training(
            written,
            training,
            backend,
            _models(training, names, attributes),
            ModelParts(program, training.models, names, attributes, backend),
            _classes(names, training.remat),
            _classes(names, divided_blocks(program, training) if parallel else ()),
        ),
        "weights.py": print_weights(program, trained, backend, attributes, parallel),
        **({processes.FILE: processes.print_processes(training, backend)} if parallel else {}),
        **({draws.FILE: draws.print_draws(backend)} if backend.own_imports else {}),
        **({"checkpoints.py": print_checkpoints(program, training, backend)} if training.checkpoint else {}),
    }


def _classes(names: ModuleNames, blocks: Collection[str]) -> list[str]:
    """The classes that some blocks are printed as."""
    return [names.of[plan.name].name for plan in names.outline.plans if plan.graph.name in blocks]


def _drawn(program: Program, training: Training) -> bool:
    graphs = [step.graph for step in training.steps] + ([training.evaluate] if training.evaluate else [])
    return any(named_draws.draws(program, key) for key in graphs)


def _models(training: Training, names: ModuleNames, attributes: Mapping[str, str]) -> list[Model]:
    """The models of a training, as attributes of its class, with their classes and how they are made."""
    models = []
    for name, key in training.models.items():
        plan = names.outline.of[key]
        own, given = names.of[plan.name], plan.arguments(key)
        args = [
            (own.params[p.name], literal(given[p.name])) for p in plan.params if given[p.name] != p.default
        ]
        models.append(Model(name, attributes[name], own.name, call("", (), args)))
    return models
