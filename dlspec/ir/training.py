"""Data, training and export, as the spec declares them; their computations are Graphs like all others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_serializer

from dlspec.ir.dims import Dim, symbol
from dlspec.ir.types import TensorType


class Source(BaseModel):
    """Where examples come from: ``sklearn("digits")`` is kind `sklearn` with one argument."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)


class Vocabulary(BaseModel):
    """The symbols of a text by their numbers: ``characters(104)`` is the kind and how many there are at most.

    Of `characters`, number 0 stands for whatever is not among the most frequent of the training part. Those of `bpe`
    are the bytes and what a byte-pair encoding merges in the training part; number 0 only fills up.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    size: int


class Category(BaseModel):
    """A column of names that stand for classes: at most `size` of them, sorted, and numbered from 0.

    unknown
        whether number 0 stands for every name that is not among the most frequent `size` - 1 of the training part;
        without it, such a name is an error.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    size: int
    unknown: bool = False


class Environment(BaseModel):
    """How a world is played in, from which transitions come.

    replay
        how many of the last transitions are kept, to learn from.
    start, every
        after how many steps learning starts, and how many steps come between two updates.
    first, last, steps
        the share of random actions: at first, and at last, after so many steps.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    replay: int = 10_000
    start: int = 1000
    every: int = 1
    first: float = 1.0
    last: float = 0.05
    steps: int = 10_000


class SplitRule(BaseModel):
    """How examples are dealt to the parts, where not at random.

    kind
        `ordered` in the order of the source, `stratified` evenly within each value of `column`, `by` the `values` of
        `column` that belong to a part, `folds`: `folds` equal parts, of which number `fold` is ``val``.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    column: str | None = None
    values: dict[str, list[int | float | str]] | None = None
    folds: int = 0
    fold: int = 0


class Moment(BaseModel):
    """The `kind`, ``mean`` or ``std``, of a column of the training split, over `axes`, which keep size 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    column: str
    kind: str
    axes: tuple[int, ...]
    type: TensorType


class Windows(BaseModel):
    """Pieces of a series: `length` steps in a row, and the `horizon` steps after them as columns ``NAME_next``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    length: int
    horizon: int


class Bucket(BaseModel):
    """An axis whose size differs from batch to batch: the smallest of `sizes` that the longest example fits into.

    axis
        the symbol that stands for it, as the first size of columns.
    by
        the column that says how long each example is; without it, up to its last place that is not 0.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    axis: str
    sizes: tuple[int, ...]
    by: str | None = None


class Augmentation(BaseModel):
    """One random change of columns in training: ``image = random_crop(image, padding = 2)``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    function: str
    columns: tuple[str, ...]
    options: dict[str, Any] = Field(default_factory=dict)


class Stream(BaseModel):
    """Examples that are read batch by batch, in a source that may be larger than memory.

    workers
        how many threads read, or processes where `processes`.
    ahead
        how many batches are being read while one is used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    workers: int = 2
    processes: bool = False
    ahead: int = 4


class DataSet(BaseModel):
    """Columns with their type for one example, the split in fractions, and the preparation.

    categories
        columns that the source has as names, and the models as numbers.
    texts
        columns that the source has as text, and the models as numbers of symbols, filled up with 0.
    bytes
        columns that count the bytes which another one's symbols stand for.
    last_batch
        what an epoch of training does with examples that fill no batch: `keep` a small one, `drop` them, or `fill` it
        up with the first of the epoch.
    shuffle
        whether epochs of training take examples in random orders, rather than in that of the source.
    prepare
        key of a graph from raw columns, and statistics, to prepared columns; with a leading batch axis ``N``.
    statistics
        key of a graph from the raw columns of the training split to what `prepare` takes beside the columns.
    moments
        what these statistics are, by name.
    windows
        into which the prepared series is cut.
    bucket
        the axis along which batches are of different size; columns that have it are stored at its largest.
    augment
        what is done to each example in training, in this order, after the preparation.
    environment
        where it is a world to play in: the columns are those of a transition.
    vocabulary
        of a text, whose columns then hold the numbers of symbols.
    stream
        where it is not read as a whole: how it is read.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    source: Source
    columns: dict[str, TensorType]
    categories: dict[str, Category] = Field(default_factory=dict)
    texts: tuple[str, ...] = ()
    bytes: dict[str, str] = Field(default_factory=dict)
    split: dict[str, float]
    split_rule: SplitRule | None = None
    last_batch: str = "keep"
    shuffle: bool = True
    prepare: str | None = None
    statistics: str | None = None
    moments: dict[str, Moment] = Field(default_factory=dict)
    augment: tuple[Augmentation, ...] = ()
    windows: Windows | None = None
    bucket: Bucket | None = None
    vocabulary: Vocabulary | None = None
    environment: Environment | None = None
    stream: Stream | None = None
    seed: int = 0
    doc: str = ""

    def stored(self) -> dict[str, TensorType]:
        """The types of the columns as they are in memory: an axis that differs between batches is at its largest."""
        if self.bucket is None:
            return self.columns
        sizes: dict[Dim, Dim] = {symbol(self.bucket.axis): self.bucket.sizes[-1]}
        return {
            name: kind.with_shape([sizes.get(dim, dim) for dim in kind.shape])
            for name, kind in self.columns.items()
        }


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


class TrainedWeights(BaseModel):
    """What a model of an earlier training of the spec ends with: ``trained("GAN", "G")``.

    model
        which of its models, where it has several.
    fresh
        paths of what is drawn from the seed instead, and may be otherwise there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    training: str
    model: str = ""
    fresh: tuple[str, ...] = ()

    @classmethod
    def spec_name(cls) -> str:
        return "trained"


PROGRESS = "progress"
"""The input of a step's graph that is no column: the part of the training that is done, f32 from 0 to 1."""


class Step(BaseModel):
    """One loss and the models that it updates.

    graph
        key of a graph from data columns (with batch axis) to the single output ``loss``. It uses the models
        by `Call` nodes whose names are the keys of `Training.models`.
    rate
        key of a graph from the numbers `step`, `steps`, `epoch`, `progress` (those it uses, f64) to the learning
        rate, the single output ``rate``; None where it is the optimizer's own, constant.
    every
        it is done at each so many batches only.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    graph: str
    updates: tuple[str, ...]
    optimizer: Annotated[SerializeAsAny[OptimizerSpec], BeforeValidator(_parse_optimizer)]
    rate: str | None = None
    every: int = 1


class Copy(BaseModel):
    """A model that follows another one of the same weights.

    every
        it becomes a copy before the first update, and again after each so many.
    rate
        it begins as a copy, and after each update moves by this part of the way.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    source: str
    target: str
    every: int | None = None
    rate: float | None = None


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


class Plateau(BaseModel):
    """Learning rates that fall where a metric no longer gets better: PyTorch's ``ReduceLROnPlateau``.

    metric, goal, min_delta
        as in `Best`: PyTorch's ``mode``, and ``threshold`` with ``threshold_mode = "abs"``.
    factor
        what the rates are multiplied by when more than `patience` epochs in a row were not better.
    cooldown
        epochs after that which do not count.
    end
        the share of a rate under which it does not fall: PyTorch's ``min_lr`` is the rate times this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    metric: str
    goal: str = "min"
    min_delta: float = 0.0
    factor: float = 0.1
    patience: int = 10
    cooldown: int = 0
    end: float = 0.0


class Clip(BaseModel):
    """A bound on gradients: on the norm of all that an optimizer moves, together, or on each value.

    By the norm n they are multiplied by min(1, norm / (n + 1e-6)).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    norm: float | None = None
    value: float | None = None


class Parallel(BaseModel):
    """Processes that train together, each on its rows of every batch; PyTorch's, one a GPU or on the CPU.

    data
        how many there are.
    shard
        ``full``: each holds its part of the weights, of their gradients and of the optimizer's state (FSDP); without
        it, all of them (DDP).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    data: int
    shard: str | None = None


PRECISIONS = ("f32", "bf16", "fp16")
"""In what a training computes; weights and optimizers are f32 in all of them."""


class Training(BaseModel):
    """How models learn from a data set.

    models
        instance name in the step graphs to graph key; the short form has one, called ``model``.
    accumulate
        how many batches of `batch_size` an update has, whose gradients are averaged over all their examples.
    ema
        what is kept in every update of the averages of the weights, which are evaluated and saved in their place.
    frozen
        models that keep their weights, and compute in inference mode in the steps, too.
    freeze
        paths of weights that stay as they are, running statistics too (see `dlspec.ir.paths`); of several models
        each begins with the model's name.
    precision
        of `PRECISIONS`: in what the models compute while they train.
    channels_last
        whether PyTorch keeps images with their channels last; without it, where that is known to be quicker.
    pool_first
        whether PyTorch pools before a `relu` that comes before the pooling; without it, it does: it is quicker.
    fused
        whether PyTorch's Adam and AdamW go over all weights in one pass; without it, they do: it is quicker.
    steps_per_execution
        how many steps a compiled call of Keras does; without it, as many as is quicker. PyTorch has no such calls.
    remat
        blocks whose activations are computed anew in the backward pass instead of kept.
    parallel
        the processes that train together; None: it is one.
    deterministic
        whether all draws come from counted streams, the same for both frameworks.
    evaluate
        key of a graph from columns to ``loss`` and the metrics, in inference mode.
    policy
        in a world, key of a graph from columns to the ``action`` that is best.
    max_steps
        after how many batches it ends, within the last epoch where that has more.
    log
        after how many updates there is a line in ``steps.jsonl``: the losses of that batch, and the rates.
    init_from
        what it begins with, by model; under "" a file for all models, each weight behind the name of its own.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    data: str
    models: dict[str, str]
    steps: tuple[Step, ...]
    copies: tuple[Copy, ...] = ()
    frozen: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    evaluate: str | None = None
    policy: str | None = None
    metrics: tuple[str, ...] = ()
    batch_size: int = 32
    epochs: int = 1
    max_steps: int | None = None
    seed: int = 0
    clip: Clip | None = None
    accumulate: int = 1
    ema: float | None = None
    init_from: dict[str, InitialWeights | TrainedWeights] = Field(default_factory=dict)
    precision: str = "f32"
    compile: bool = False
    channels_last: bool | None = None
    pool_first: bool | None = None
    fused: bool | None = None
    steps_per_execution: int | None = None
    remat: tuple[str, ...] = ()
    parallel: Parallel | None = None
    deterministic: bool = False
    checkpoint: Checkpoints | None = None
    best: Best | None = None
    plateau: Plateau | None = None
    log: int | None = None
    doc: str = ""

    def loss_key(self, step: str) -> str:
        """What the loss of a step is called in the results: a single one is `loss`."""
        return "loss" if len(self.steps) == 1 else step


class Export(BaseModel):
    """What is shipped of a model."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    model: str
    format: str = "onnx"
    opset: int = 21
    ir_version: int = 10
    prepare: str | None = None


class Range(BaseModel):
    """The numbers from `low` to `high`, both included, as candidates: even on a logarithmic scale if `log`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    low: int | float
    high: int | float
    log: bool = False


class Sweep(BaseModel):
    """A search over `let`s of a spec for the values with which a training does best.

    settings
        by the name of a `let`: the list of its candidates, or their range.
    metric, goal
        what is judged by, of what every epoch has, and whether it should be small (``min``) or large (``max``).
    trials
        how many are tried, chosen by what came before; None: every combination of the candidates.
    timeout
        seconds of all trials after which no other begins.
    sampler
        how values are chosen: ``tpe``, by what came before, or ``random``.
    prune
        when a trial is stopped: `median`, worse than that of the others at the epoch; `halving`, not among the best
        quarter after 1, 4, 16, ... epochs; or `none`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    train: str
    settings: dict[str, list[Any] | Range] = Field(default_factory=dict)
    metric: str
    goal: str = "min"
    trials: int | None = None
    timeout: int | None = None
    sampler: str = "tpe"
    prune: str = "median"
    seed: int = 0
