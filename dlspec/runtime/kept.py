"""What a training kept beside its weights: by which names and symbols its numbers are to be read."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.categories import COMPARING, passed_on
from dlspec.ir.data import DataSet
from dlspec.ir.graph import Call, Graph, Program

CATEGORIES = "categories.json"
SYMBOLS = "vocabulary.json"
TOKENS = "tokenizer.json"


def use_kept(module: Any, weights: Path) -> None:
    """Have a printed `data` number categories and symbols as the training did whose weights these are."""
    for function, file in (("categories", CATEGORIES), ("vocabulary", SYMBOLS)):
        if hasattr(module, function) and weights.with_name(file).is_file():
            kept = read_kept(weights.with_name(file))
            setattr(module, function, lambda kept=kept: kept)
    if hasattr(module, "tokenizer") and weights.with_name(TOKENS).is_file():
        tokenizer = read_tokenizer(weights.with_name(TOKENS))
        module.tokenizer = lambda: tokenizer


def read_tokenizer(path: Path) -> Any:
    """The tokenizer that a training kept. Raises SpecError (DLS0738)."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more exact
        raise fail("DLS0738", f"cannot read `{path}`: {error}", hint="train again, or copy it anew") from None


def read_kept(path: Path) -> Any:
    """What a file keeps: lists of words, by columns those of categories. Raises SpecError (DLS0738)."""
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise fail("DLS0738", f"cannot read `{path}`: {error}", hint="train again, or copy it anew") from None
    lists = kept.values() if isinstance(kept, dict) else [kept]
    if not all(isinstance(words, list) and all(isinstance(w, str) for w in words) for words in lists):
        raise fail("DLS0738", f"`{path}` is no list of words", hint="train again, or copy it anew")
    return kept


def kept_categories(data: DataSet, weights: Path) -> dict[str, list[str]]:
    """The names of each column's categories, by their numbers; empty where the training kept none."""
    path = weights.with_name(CATEGORIES)
    if not data.categories or not path.is_file():
        return {}
    kept: dict[str, list[str]] = read_kept(path)
    if not isinstance(kept, dict) or set(kept) != set(data.categories):
        raise fail("DLS0738", f"`{path}` has not the categories of `{data.name}`, {', '.join(data.categories)}",
                   hint="give weights of a training of this spec")  # fmt: skip
    return kept


def learned_from(program: Program, model: str) -> DataSet | None:
    """The data set that a model learns from, the first of several."""
    return next((program.data[training.data] for training in program.trainings_of(model)), None)


def scored_categories(program: Program, model: str) -> dict[str, str]:
    """Outputs of a model that score the categories of a column, by a loss or a metric: output to column."""
    key = program.models[model]
    found: dict[str, str] = {}
    for training in program.trainings_of(model):
        data = program.data[training.data]
        categories = passed_on(program.graphs, data, data.categories)
        for graph in (*(step.graph for step in training.steps), training.evaluate):
            if graph and categories:
                found |= _compared(program.graphs[graph], program.graphs[key], key, categories)
    return found


def _compared(graph: Graph, model: Graph, key: str, categories: Collection[str]) -> dict[str, str]:
    made: dict[str | None, str] = {}
    found = {}
    for node in graph.nodes:
        if isinstance(node.op, Call) and node.op.graph == key:
            made |= zip(node.outputs, (output.name for output in model.outputs), strict=True)
        elif type(node.op).__name__ in COMPARING and node.inputs[0] in made and node.inputs[1] in categories:
            found[made[node.inputs[0]]] = str(node.inputs[1])
    return found
