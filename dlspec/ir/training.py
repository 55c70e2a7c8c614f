"""Data, training and export, as the spec declares them; their computations are Graphs like all others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_serializer

from dlspec.ir.types import TensorType


class Source(BaseModel):
    """Where examples come from: ``sklearn("digits")`` is kind `sklearn` with one argument."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)


class Vocabulary(BaseModel):
    """The symbols of a text by their numbers: ``characters(104)`` is the kind and how many there are at most.

    Number 0 stands for whatever is not among the most frequent of the training part.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    size: int


class DataSet(BaseModel):
    """Columns with their type for one example, the split in fractions, and the preparation.

    prepare
        key of a graph from raw columns to prepared columns; both have a leading batch axis ``N``.
    vocabulary
        of a text, whose columns then hold the numbers of symbols.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    source: Source
    columns: dict[str, TensorType]
    split: dict[str, float]
    prepare: str | None = None
    vocabulary: Vocabulary | None = None
    seed: int = 0
    doc: str = ""


def validation_split(data: DataSet) -> str:
    """The split that every epoch is judged on: ``val``, or the second one of the data."""
    splits = list(data.split)
    return "val" if "val" in splits else splits[min(1, len(splits) - 1)]


class OptimizerSpec(BaseModel):
    """Base of all optimizers (dlspec/ops/optimizers.py): fields are the arguments, in PyTorch's names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def spec_name(cls) -> str:
        return cls.__name__

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: Any) -> dict[str, Any]:
        return {"kind": self.spec_name(), **handler(self)}


def _parse_optimizer(value: Any) -> Any:
    if isinstance(value, OptimizerSpec):
        return value
    from dlspec.ops.optimizers import optimizers

    fields = dict(value)
    return optimizers()[fields.pop("kind")].model_validate(fields)


class InitialWeights(BaseModel):
    """A file that a training begins with: ``weights("gpt2.safetensors", mapping = "huggingface")``.

    mapping
        whose names it has: a mapping beside the spec, or the path of one; without it, the spec's own.
    fresh
        paths of layers that keep the weights drawn from the seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file: str
    mapping: str | None = None
    fresh: tuple[str, ...] = ()

    @classmethod
    def spec_name(cls) -> str:
        return "weights"


class Step(BaseModel):
    """One loss and the models that it updates.

    graph
        key of a graph from data columns (with batch axis) to the single output ``loss``. It uses the models
        by `Call` nodes whose names are the keys of `Training.models`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    graph: str
    updates: tuple[str, ...]
    optimizer: Annotated[SerializeAsAny[OptimizerSpec], BeforeValidator(_parse_optimizer)]


class Checkpoints(BaseModel):
    """What a run writes to go on from: every so many epochs, or every so many steps; the last `keep` stay."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    epochs: int | None = None
    steps: int | None = None
    keep: int = 2


class Best(BaseModel):
    """Which epoch's weights a run ends with: the last whose `metric` was better than all before.

    goal
        whether better is smaller (``min``) or larger (``max``), by more than `min_delta`.
    patience
        after how many epochs that were not better training stops; None: it does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    metric: str
    goal: str = "min"
    min_delta: float = 0.0
    patience: int | None = None


class Training(BaseModel):
    """How models learn from a data set.

    models
        instance name in the step graphs to graph key; the short form has one, called ``model``.
    deterministic
        whether all draws come from counted streams, the same for both frameworks.
    evaluate
        key of a graph from columns to ``loss`` and the metrics, in inference mode.
    max_steps
        after how many batches it ends, within the last epoch where that has more.
    init_from
        what it begins with, by model; under "" a file for all models, each weight behind the name of its own.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    data: str
    models: dict[str, str]
    steps: tuple[Step, ...]
    evaluate: str | None = None
    metrics: tuple[str, ...] = ()
    batch_size: int = 32
    epochs: int = 1
    max_steps: int | None = None
    seed: int = 0
    deterministic: bool = False
    init_from: dict[str, InitialWeights] = Field(default_factory=dict)
    checkpoint: Checkpoints | None = None
    best: Best | None = None
    doc: str = ""


class Export(BaseModel):
    """What is shipped of a model."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    model: str
    format: str = "onnx"
    opset: int = 21
    ir_version: int = 10
    prepare: str | None = None


class Sweep(BaseModel):
    """A search over `let`s and params of a training: name to the candidate values or range."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    train: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
