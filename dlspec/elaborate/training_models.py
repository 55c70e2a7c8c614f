"""What a training learns from and the models that learn: `train NAME on DATA`, `models = { ... }`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.blocks import make_instance
from dlspec.elaborate.columns import column_places
from dlspec.elaborate.data import prepared_columns
from dlspec.elaborate.declarations import Settings, data_set, unknown_model
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frozen_models import kept_model
from dlspec.elaborate.values import POISON, BlockDefinition, BlockInstance, Marker, Poisoned, describe
from dlspec.ir.data import DataSet
from dlspec.ir.types import TensorType
from dlspec.syntax import tree
from dlspec.syntax.source import Span

# Where the settings of the short form go when there are steps.
_MOVED = {
    "loss": "end each step with `minimize ...`",
    "optimizer": "write it at the step: `step NAME updates MODEL with Adam(lr = 1e-3) { ... }`",
}


@dataclass(frozen=True)
class Learners:
    """The models of a training, by the names that it has for them, and the columns that they learn from."""

    data: DataSet
    columns: dict[str, TensorType]
    origins: dict[str, Span]
    """Where the columns are written."""
    models: Mapping[str, BlockInstance]
    frozen: tuple[str, ...]
    """Those that are used as they are."""


def learners(item: tree.Declaration, settings: Settings, builder: Any) -> Learners:
    """What a declaration `train` learns from, and its models: the one that it names, or its `models`."""
    return _Finder(item, settings, builder).found()


class _Finder:
    def __init__(self, item: tree.Declaration, settings: Settings, builder: Any) -> None:
        self.item, self.settings, self.builder = item, settings, builder
        self.origins: dict[str, Span] = {}
        self.models: dict[str, BlockInstance] = {}
        self.frozen: list[str] = []

    def found(self) -> Learners:
        self._find_data()
        if self.settings.steps:
            self._several_models()
        else:
            self._the_model()
        return Learners(self.data, self.columns, self.origins, self.models, tuple(self.frozen))

    def _find_data(self) -> None:
        name = self.item.other
        if name is None:
            raise fail("DLS0503", f"`train {self.item.name.id}` does not say what it learns from",
                       self.item.name.span, "on which data?",
                       f"write `train {self.item.name.id} on DATA {{ ... }}`")  # fmt: skip
        self.data: DataSet = data_set(name, self.builder)
        self.columns = prepared_columns(
            self.data.columns, self.data.prepare, self.data.windows, self.builder.session
        )
        marker = self.builder.scope.names.get(name.id)
        self.origins = column_places(marker.payload) if isinstance(marker, Marker) else {}

    def _definition(self, name: tree.Name) -> BlockDefinition:
        value = self.builder.scope.names.get(name.id)
        if value is POISON or (value is None and self.builder.scope.is_incomplete()):
            raise Poisoned
        if not isinstance(value, BlockDefinition) or not value.block.is_model:
            raise unknown_model(name, self.builder)
        return value

    def _the_model(self) -> None:
        definition = self._definition(self.item.name)
        if "models" in self.settings.values:
            raise fail("DLS0510", "`models` needs `step`s that say how each learns",
                       self.settings.values["models"].name.span, "there are no steps",
                       "write `step NAME updates MODEL with Adam(lr = 1e-3) { ... }`")  # fmt: skip
        instance = make_instance(definition, [], self.item.name.span, self.builder.frame())
        instance.explicit = "model"
        self.models["model"] = instance

    def _several_models(self) -> None:
        for name in ("loss", "optimizer"):
            if name in self.settings.values:
                raise fail("DLS0510", f"`{name}` is set beside `step`s, which have their own",
                           self.settings.values[name].name.span, "none of the steps uses it",
                           _MOVED[name])  # fmt: skip
        expr = self.settings.require("models", "write `models = { G: Generator, D: Discriminator }`")
        if not isinstance(expr, tree.Dict) or not expr.items:
            raise fail("DLS0505", "`models` must be a dictionary of names and models", expr.span,
                       "not a dictionary", "write `models = { G: Generator, D: Discriminator }`")  # fmt: skip
        for key, written in expr.items:
            first = next(other.span for other, _ in expr.items if other.id == key.id)
            if first is not key.span:
                raise given_twice(f"the model `{key.id}`", key.span, first)
            if key.id in self.columns:
                notes = [Note(self.origins[key.id], "first here")] if key.id in self.origins else []
                raise SpecError(
                    [
                        Diagnostic(
                            "DLS0412",
                            f"`{key.id}` is a column of `{self.data.name}` already",
                            key.span,
                            "again here",
                            notes,
                            "call the model something else",
                        )
                    ]
                )
            self.models[key.id] = self._player(key.id, written)

    def _player(self, name: str, written: tree.Expr) -> BlockInstance:
        inside = kept_model(written)
        if inside is not None:
            self.frozen.append(name)
        value = evaluate(inside or written, self.builder.frame())
        if isinstance(value, BlockDefinition):
            value = make_instance(value, [], written.span, self.builder.frame())
        if not isinstance(value, BlockInstance) or not value.definition.block.is_model:
            hint = "declare it with `model`" if isinstance(value, BlockInstance) else None
            raise fail(
                "DLS0507",
                f"`{name}` must be a model, not {describe(value)}",
                written.span,
                "not a model",
                hint,
            )
        value.explicit = name
        return value
