"""Training, export and sweep, as the spec declares them; their computations are Graphs like all others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_serializer

from dlspec.ir.groups import Group


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
    groups
        weights with a rate or a decay of their own; where several are of the same weight, the last one holds.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    graph: str
    updates: tuple[str, ...]
    optimizer: Annotated[SerializeAsAny[OptimizerSpec], BeforeValidator(_parse_optimizer)]
    rate: str | None = None
    every: int = 1
    groups: tuple[Group, ...] = ()

    @property
    def rates(self) -> list[str]:
        """The graphs of all learning rates that change."""
        return [key for key in (self.rate, *(group.rate for group in self.groups)) if key is not None]


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
