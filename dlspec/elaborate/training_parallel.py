"""`parallel` of `train`: processes that train together, and what they could not do as one process does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dlspec.diagnostics import fail
from dlspec.elaborate.declarations import entries, one_word, whole_number
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.over_examples import Examples, NotOverExamples
from dlspec.ir.gradients import takes_gradient
from dlspec.ir.graph import Call, Graph, reached
from dlspec.ir.training import Parallel, Training
from dlspec.syntax import tree

SETTINGS = ("parallel",)
EXAMPLE = "write `parallel = { data: 2 }`, or `parallel = { data: 2, shard: full }`"


def parallel(expr: tree.Expr | None, frame: Frame) -> Parallel | None:
    """`parallel = { data: 2, shard: full }`: how many processes, and whether weights are divided among them."""
    if expr is None:
        return None
    given = entries("parallel", expr, tuple(Parallel.model_fields), EXAMPLE)
    if "data" not in given:
        raise fail("DLS0503", "`parallel` does not say how many processes there are", expr.span,
                   "needs `data: 2`", EXAMPLE)  # fmt: skip
    shard = given.get("shard")
    return Parallel(
        data=whole_number("parallel.data", given["data"], frame, 2),
        shard=None if shard is None else one_word("parallel.shard", shard, "", ["full"]),
    )


def check_parallel(training: Training, graphs: Mapping[str, Graph], world: bool, expr: tree.Expr) -> None:
    """Raise `SpecError` (DLS0543) where several processes would not compute what one does.

    world
        whether the training plays in one.
    """
    assert training.parallel is not None
    case = _Case(training, graphs, world)
    for obstacle in OBSTACLES:
        if (obstacle.sharded and not training.parallel.shard) or not (found := obstacle.found(case)):
            continue
        what = found if isinstance(found, str) else obstacle.what
        raise fail("DLS0543", f"several processes cannot train this together: {what}", expr.span,
                   "is one process's work", obstacle.hint)  # fmt: skip


class _Case(NamedTuple):
    training: Training
    graphs: Mapping[str, Graph]
    world: bool

    def losses(self) -> list[Graph]:
        """The graphs of the steps, and those that they call."""
        return [self.graphs[key] for key in reached(self.graphs, [s.graph for s in self.training.steps])]

    def models(self) -> list[str]:
        """The keys of the models that are in training mode, and of their blocks."""
        learning = [key for name, key in self.training.models.items() if name not in self.training.frozen]
        return reached(self.graphs, learning)


class Obstacle(NamedTuple):
    """Something that stands against `parallel`.

    found
        whether it is there; a text says what it is, in place of `what`.
    sharded
        it only does where weights are divided.
    """

    found: Callable[[_Case], object]
    what: str
    hint: str
    sharded: bool = False


def _keeps_averages(case: _Case) -> str:
    """What has state of its own beside weights, as batch normalization has its running averages."""
    for key in case.models():
        for node in case.graphs[key].nodes:
            moved = {weight.name for weight in case.graphs[key].weights if not weight.trainable}
            if moved & set(node.weights.values()):
                return (
                    f"`{node.op.spec_name()}` takes its averages over the part of a batch that a process has"
                )
    return ""


def _no_mean(case: _Case) -> str:
    """Why a loss is no mean over the examples."""
    try:
        for step in case.training.steps:
            Examples(case.graphs).check(step.graph)
    except NotOverExamples as found:
        return f"{found}; the losses of their rows, averaged, would not be that of the batch"
    return ""


def _reads_weights(case: _Case) -> bool:
    """Whether a loss or a metric has weights of a model for operands."""
    keys = [case.training.evaluate, *(step.graph for step in case.training.steps)]
    return any(_reads_inside(case.graphs[key]) for key in keys if key)


def _shares_weights(case: _Case) -> bool:
    """Whether a model or a block has weights of a block that it uses for operands."""
    return any(_reads_inside(case.graphs[key]) for key in case.models())


def _reads_inside(graph: Graph) -> bool:
    """Whether an operand is a weight of something that the graph calls: named by its path, from the call's name on."""
    called = {node.name for node in graph.nodes if isinstance(node.op, Call)}
    made = {name for node in graph.nodes for name in node.outputs} | {value.name for value in graph.inputs}
    read = {name for node in graph.nodes for name in node.inputs if name} - made
    return any(name.partition(".")[0] in called for name in read)


def _single_number(case: _Case) -> str:
    """A weight that is one number, which has no rows to deal out."""
    for key in case.models():
        for weight in case.graphs[key].weights:
            if not weight.type.shape:
                return f"`{weight.name}` is a single number, which `shard` cannot divide"
    return ""


OBSTACLES = (
    Obstacle(lambda c: c.world, "it plays in a world", "leave `parallel` out"),
    Obstacle(lambda c: len(c.training.steps) > 1, "it has several steps",
             "leave `parallel` out: one step is what they can share"),
    Obstacle(lambda c: c.training.copies, "a model follows another one", "leave `parallel` or `copy` out"),
    Obstacle(lambda c: c.training.deterministic, "counted draws are for the whole of a batch",
             "leave `deterministic` out: each process then draws its own numbers"),
    Obstacle(_keeps_averages, "", "use `LayerNorm` or `GroupNorm`, or leave `parallel` out"),
    Obstacle(lambda c: any(map(takes_gradient, c.losses())),
             "its loss takes a gradient, which depends on the size of the batch", "leave `parallel` out"),
    Obstacle(_no_mean, "", "take the `mean` over the examples, or leave `parallel` out"),
    Obstacle(lambda c: len(c.training.models) > 1, "`shard` is for one model", "leave `shard` out", True),
    Obstacle(lambda c: c.training.precision == "fp16", "`shard` and `fp16` do not go together",
             'write `precision = bf16`, or leave `shard` out', True),
    Obstacle(lambda c: c.training.channels_last, "`shard` keeps weights in a row, and not with their channels last",
             "leave `channels_last` or `shard` out", True),
    Obstacle(_single_number, "", "give it one axis, `Parameter([1])`, or leave `shard` out", True),
    Obstacle(_reads_weights, "a loss or metric reads weights, of which each process has a part",
             "leave `shard` out, or use `weight_decay`", True),
    Obstacle(_shares_weights, "weights of a block are read outside of it", "leave `shard` out", True),
)  # fmt: skip
"""In the order in which they are looked for."""
