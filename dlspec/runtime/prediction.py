"""Predictions for arrays in files, on any backend, with the preparation that the export carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.ir.dims import Symbolic
from dlspec.ir.graph import Graph, Program
from dlspec.ir.prune import pruned
from dlspec.ir.training import Training
from dlspec.ir.types import TensorType
from dlspec.ops.dtypes import numpy_dtype
from dlspec.runtime.data_check import load_split
from dlspec.runtime.kept import kept_categories, learned_from, scored_categories
from dlspec.weights.store import load_weights, own_weights, replacing

Arrays = dict[str, Any]


def preparation(program: Program, model: str, but: str | None = None) -> Graph | None:
    """What the model's export prepares: only the columns that the model takes, all `but` one."""
    plan = program.exports.get(model)
    if plan is None or plan.prepare is None:
        return None
    return pruned(program.graphs[plan.prepare], {value.name for value in program.model(model).inputs} - {but})


def input_types(program: Program, model: str, but: str | None = None) -> dict[str, TensorType]:
    """The inputs as a user gives them, all `but` one: before preparation, where there is one."""
    values = {value.name: value.type for value in program.model(model).inputs if value.name != but}
    prepare = preparation(program, model, but)
    raw = {value.name: value.type for value in prepare.inputs} if prepare else {}
    prepared = {output.name for output in prepare.outputs} if prepare else set()
    return raw | {name: kind for name, kind in values.items() if name not in prepared}


def read_inputs(
    program: Program, model: str, path: Path, weights: Path | None = None, but: str | None = None
) -> Arrays:
    """The inputs in a file, checked against the model's types. Raises SpecError naming what does not fit.

    Names of categories become the numbers that the training of these weights gave them. `but` is an input that
    is not asked for.
    """
    wanted = input_types(program, model, but)
    try:
        loaded = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise fail("DLS0722", f"cannot read `{path}`: {error}", hint="give a .npz or .npy file") from None
    if isinstance(loaded, np.ndarray):
        if len(wanted) != 1:
            raise fail("DLS0722", f"`{path}` holds one array, but the model takes {', '.join(wanted)}",
                       hint="save them by name with `numpy.savez`")  # fmt: skip
        found = {next(iter(wanted)): loaded}
    else:
        found = {name: loaded[name] for name in loaded.files}
    if weights is not None:
        found |= _numbered(program, model, {n: a for n, a in found.items() if a.dtype.kind == "U"}, weights)
    return {name: _fitted(name, kind, found, path) for name, kind in wanted.items()}


def _numbered(program: Program, model: str, texts: Arrays, weights: Path) -> Arrays:
    """Names of categories as numbers; texts that are none stay as they are."""
    data = learned_from(program, model) if texts else None
    kept = kept_categories(data, weights) if data is not None else {}
    found = {}
    for name in texts.keys() & kept.keys():
        number = {word: place for place, word in enumerate(kept[name])}
        unknown = sorted({*texts[name].ravel().tolist()} - {*number})
        if unknown and "" not in number:
            raise fail("DLS0722", f"`{name}` has no category {unknown[0]!r}",
                       hint=f"the training knew {', '.join(kept[name])}")  # fmt: skip
        found[name] = np.array([number.get(word, 0) for word in texts[name].ravel().tolist()])
        found[name] = found[name].astype(np.int64).reshape(texts[name].shape)
    return found


def named_categories(program: Program, model: str, weights: Path, outputs: Arrays) -> Arrays:
    """For scores of the categories of a column, under its name the name of the best of each example."""
    data = learned_from(program, model)
    kept = kept_categories(data, weights) if data is not None else {}
    found: Arrays = {}
    for output, column in scored_categories(program, model).items():
        scores = outputs[output]
        if column in kept and column not in outputs and scores.ndim == 2:
            names = np.array(kept[column])
            found[column] = names[np.argmax(scores[:, : len(names)], axis=1)]
    return found


def _fitted(name: str, kind: TensorType, found: Arrays, path: Path) -> Any:
    if name not in found:
        guess = closest(name, list(found))
        raise fail("DLS0722", f"`{path}` has no array `{name}`", hint=f"it has `{guess}`" if guess else None)
    array = found[name]
    fits = array.ndim == kind.rank and all(
        isinstance(dim, Symbolic) or dim == size for dim, size in zip(kind.shape, array.shape, strict=True)
    )
    if not fits:
        raise fail(
            "DLS0722", f"`{name}` in `{path}` has the shape {list(array.shape)}, but the model takes {kind}"
        )
    wanted = np.dtype(numpy_dtype(kind.dtype))
    if not np.can_cast(array.dtype, wanted, "same_kind"):
        raise fail(
            "DLS0722", f"`{name}` in `{path}` has elements of type {array.dtype}, but the model takes {kind}"
        )
    return array.astype(wanted)


def split_inputs(
    program: Program, model: str, training: Training, split: str, weights: Path, but: str | None = None
) -> Arrays:
    """The inputs of all examples of a split, prepared, all `but` one. Raises `SpecError` where a column is missing."""
    data = program.data[training.data]
    if data.environment is not None:
        raise fail(
            "DLS0722", f"`{data.name}` is a world, which has no examples", hint="give arrays: `--input`"
        )
    columns = load_split(program, training, split, weights)
    wanted = [value.name for value in program.model(model).inputs if value.name != but]
    for name in wanted:
        if name not in columns:
            raise fail("DLS0722", f"the model's input `{name}` is no column of `{data.name}`",
                       hint="give arrays: `--input`")  # fmt: skip
    return {name: columns[name] for name in wanted}


def predict(
    program: Program, model: str, weights: Path, backend: str, inputs: Arrays, prepared: bool = False
) -> Arrays:
    """The outputs by name. `prepared` are inputs that need no preparation of the export."""
    arrays = own_weights(program, model, load_weights(weights))
    prepare = None if prepared else preparation(program, model)
    if backend == "onnx":
        from dlspec.runtime import onnx

        text = print_onnx(program, model, load_backend("onnx"), prepare=prepare)
        names = [output.name for output in program.model(model).outputs]
        return onnx.predict(onnx.session(onnx.to_model(text, arrays)), inputs, names)
    from dlspec.runtime import live

    ready = inputs if prepared else prepare_inputs(program, model, inputs)
    ordered = [ready[value.name] for value in program.model(model).inputs]
    run = {"torch": live.run_torch, "keras": live.run_keras}[backend]
    results = run(program, model, arrays, ordered)
    return {o.name: r for o, r in zip(program.model(model).outputs, results, strict=True)}


def prepare_inputs(program: Program, model: str, inputs: Arrays, but: str | None = None) -> Arrays:
    """The inputs as the model takes them, after the preparation of its export; all `but` one."""
    from dlspec.runtime.interpreter import run

    prepare = preparation(program, model, but)
    if prepare is None:
        return inputs
    graphs = program.model_copy(update={"graphs": {"%prepare": prepare}})
    return {**inputs, **run(graphs, "%prepare", inputs, {})}


def write_outputs(path: Path, outputs: Arrays) -> None:
    """Write the outputs as .npz, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **outputs)
