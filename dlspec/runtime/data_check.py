"""Reading the data of a training before it starts: what does not fit is told in the spec's terms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.augmentation import augmenters
from dlspec.elaborate.sources import SourceError, outside_source, source_kind
from dlspec.emit.data import print_data
from dlspec.ir.data import DataSet, SplitRule
from dlspec.ir.dims import Dim, product, substitute, symbols
from dlspec.ir.graph import Node, Program
from dlspec.ir.paths import under_any, updated
from dlspec.ir.training import Training
from dlspec.ops.normalization import BatchNorm
from dlspec.passes.flatten import flatten
from dlspec.runtime.data_errors import reading
from dlspec.runtime.kept import use_kept
from dlspec.runtime.project import load_project


def with_sources(program: Program, given: tuple[str, ...]) -> Program:
    """The program with sources replaced as `DATA=FILE.py:FUNCTION` says. Raises `SpecError` (DLS0811)."""
    data = dict(program.data)
    for each in given:
        name, _, text = each.partition("=")
        if name not in data:
            guess = closest(name, data)
            hint = f"did you mean `{guess}`?" if guess else f"the spec has {', '.join(data) or 'none'}"
            raise fail("DLS0811", f"`--source {each}`: the spec has no data set `{name}`", hint=hint)
        try:
            source = outside_source(text)
        except SourceError as error:
            raise fail("DLS0811", error.message, hint=f"write `--source {name}=file.py:function`") from None
        data[name] = data[name].model_copy(update={"source": source})
    return program.model_copy(update={"data": data})


def fold_rule(data: DataSet) -> SplitRule:
    """The rule by which a data set is split into folds. Raises `SpecError` (DLS0812) where it is not."""
    if data.split_rule is None or data.split_rule.kind != "folds":
        raise fail(
            "DLS0812", f"the data `{data.name}` is not split into folds", hint="write `split = folds(5)`"
        )
    return data.split_rule


def with_fold(program: Program, training: Training, fold: int | None) -> Program:
    """The program with fold number `fold` kept to judge by. Raises `SpecError` (DLS0812)."""
    if fold is None:
        return program
    data = program.data[training.data]
    rule = fold_rule(data)
    if fold >= rule.folds:
        raise fail("DLS0812", f"the data `{data.name}` has {rule.folds} folds, and none with number {fold}",
                   hint=f"they are numbered from 0 to {rule.folds - 1}")  # fmt: skip
    chosen = data.model_copy(update={"split_rule": rule.model_copy(update={"fold": fold})})
    return program.model_copy(update={"data": {**program.data, data.name: chosen}})


def modules(data: DataSet) -> list[str]:
    """What must be installed to read a data set."""
    altered = [needs for step in data.augment if (needs := augmenters()[step.function].needs)]
    tokens = ["tokenizers"] if data.vocabulary is not None and data.vocabulary.of_tokens else []
    return list(dict.fromkeys([*source_kind(data.source).get("needs", ()), *tokens, *altered]))


def check_data(program: Program, data: DataSet) -> dict[str, int]:
    """Read all splits, or make a world; how many examples each has. Raises `SpecError` (DLS0704): which column."""
    project = load_project({"data.py": print_data(program, data)})
    sizes: dict[str, int] = {}
    if data.environment is not None:
        reading(program, data, lambda: project.data.make())
        return sizes
    for split in data.split:
        columns = reading(program, data, lambda split=split: project.data.load(split))
        if data.bucket is not None:
            reading(program, data, lambda columns=columns: project.data.lengths(columns))
        sizes[split] = len(next(iter(columns.values())))
        if not sizes[split]:
            raise fail("DLS0704", f"the split `{split}` of `{data.name}` has no examples",
                       hint="the source has too few, or the split leaves none for it")  # fmt: skip
        if data.stream is not None:
            reading(program, data, lambda columns=columns: project.data.take(columns["row"][:1]))
    return sizes


def load_split(
    program: Program, training: Training, split: str, weights: Path | None = None
) -> dict[str, Any]:
    """The prepared columns of a split, by the printed data code; numbered as for these weights.

    Raises `SpecError` (DLS0704).
    """
    data = program.data[training.data]
    project = load_project({"data.py": print_data(program, data)})
    if weights is not None:
        use_kept(project.data, weights)
    columns: dict[str, Any] = reading(program, data, lambda: project.data.load(split))
    if data.stream is None:
        return columns
    taken: dict[str, Any] = reading(program, data, lambda: project.data.take(columns["row"]))
    return taken


def check_batch(program: Program, training: Training, sizes: Mapping[str, int]) -> None:
    """Raise `SpecError` (DLS0704) where the examples fill no batch, and `last_batch = drop` would leave none, or
    one batch has a single example, of which `BatchNorm` would have a single number for each channel.
    """
    data = program.data[training.data]
    split, size = next(iter(data.split), ""), training.batch_size * training.accumulate
    if data.last_batch == "drop" and sizes.get(split, size) < size:
        raise fail("DLS0704", f"the split `{split}` of `{data.name}` has {sizes[split]} examples, which do not fill a"
                   f" batch of {size}, and `last_batch = drop` leaves none",
                   hint="write a smaller `batch_size`, or `last_batch = keep`")  # fmt: skip
    batch = training.batch_size
    single = split in sizes and (batch == 1 or sizes[split] % batch == 1) and data.last_batch == "keep"
    if single and data.bucket is None and (node := _of_examples(program, training)):
        raise fail("DLS0704", f"the last batch of an epoch has one of the {sizes[split]} examples of `{split}`,"
                   f" of which `BatchNorm` knows no variance{node.place}",
                   hint="write `last_batch = drop` in the data, or another `batch_size`")  # fmt: skip


def _of_examples(program: Program, training: Training) -> Node | None:
    """A `BatchNorm` that has for each channel one number an example: of a batch of one it knows no variance."""
    first, alone = next(iter(training.models)), len(training.models) == 1
    for step in training.steps:
        graph = flatten(program, step.graph)
        one: dict[str, Dim] = {
            name: 1 for value in graph.inputs for dim in value.type.shape[:1] for name in symbols(dim)
        }
        running = {
            node.weights["running_var"].removeprefix(f"{first}." if alone else ""): node
            for node in graph.nodes
            if isinstance(node.op, BatchNorm)
        }
        models = [name for name in training.models if name not in training.frozen]
        moving = set(updated(running, models, alone)) - under_any(training.freeze, running)
        for name, node in running.items():
            examples, _, *positions = graph.types[str(node.inputs[0])].shape
            if name in moving and substitute(product([examples, *positions]), one) == 1:
                return node
    return None
