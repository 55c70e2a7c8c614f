"""`stream = true`: examples that are read batch by batch, and what then cannot be asked of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlspec.diagnostics import fail
from dlspec.elaborate.augmentation import augmenters
from dlspec.elaborate.declarations import entries, whole_number
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.per_example import mixing
from dlspec.elaborate.values import describe
from dlspec.ir.data import DataSet, Stream
from dlspec.syntax import tree

if TYPE_CHECKING:
    from dlspec.elaborate.declarations import Settings

EXAMPLE = (
    "write `stream = true`, or `stream = { threads: 2, ahead: 4 }`; `processes` for what takes long to decode"
)
WHOLE = {
    "vocabulary": "a vocabulary is counted over the whole text",
    "windows": "windows are cut from a whole series",
}


def stream_of(expr: tree.Expr | None, frame: Frame) -> Stream | None:
    """The setting: None where examples are in memory."""
    if expr is None:
        return None
    if not isinstance(expr, tree.Dict):
        value = evaluate(expr, frame)
        if not isinstance(value, bool):
            raise fail("DLS0505", f"`stream` must be true, false or a dictionary, not {describe(value)}", expr.span,
                       "none of these", EXAMPLE)  # fmt: skip
        return Stream() if value else None
    given = entries("stream", expr, ["threads", "processes", "ahead"], EXAMPLE)
    numbers = {name: whole_number(name, written, frame) for name, written in given.items()}
    if "threads" in numbers and "processes" in numbers:
        raise fail("DLS0505", "`stream` reads in threads or in processes, not in both", expr.span, "has both",
                   EXAMPLE)  # fmt: skip
    fields: dict[str, Any] = {"ahead": numbers["ahead"]} if "ahead" in numbers else {}
    workers = numbers.get("processes", numbers.get("threads"))
    fields |= {} if workers is None else {"workers": workers}
    return Stream(**fields, processes="processes" in numbers)


def check_stream(data: DataSet, settings: Settings, builder: Any, batch: str) -> None:
    """Nothing in a stream needs all examples at once."""
    if data.stream is None:
        return
    for name, why in WHOLE.items():
        if name in settings.values:
            raise fail("DLS0531", f"{why}, and `stream` reads batch by batch", settings.values[name].name.span,
                       "needs all of it", "leave `stream` out")  # fmt: skip
    if named := [*data.categories, *data.texts]:
        raise fail("DLS0531", f"the names or texts of `{named[0]}` are numbered by the whole training split, and "
                   "`stream` reads batch by batch", settings.values["columns"].value.span, "needs all of it",
                   "leave `stream` out, or write numbers into the source")  # fmt: skip
    _check_preparation(data, settings, builder, batch)
    mixes = [step.function for step in data.augment if augmenters()[step.function].several]
    if data.stream.processes and mixes:
        raise fail("DLS0531", f"`{mixes[0]}` reads a second example, which the processes of `stream` do not know",
                   settings.sections["augment"].name.span, "of two examples",
                   "write `stream = { threads: 2 }`")  # fmt: skip


def _check_preparation(data: DataSet, settings: Settings, builder: Any, batch: str) -> None:
    """What is done to an example does not depend on those that happen to be in its batch."""
    if data.prepare is None:
        return
    graphs = builder.session.graphs
    node = mixing(graphs[data.prepare], graphs, batch)
    if node is not None:
        place = f" (line {node.location.line})" if node.location else ""
        raise fail("DLS0531", f"`{node.op.spec_name()}`{place} computes with several examples, and `stream` "
                   "prepares them batch by batch", settings.sections["prepare"].name.span, "depends on the batch",
                   "`train_mean(x)` and `train_std(x)` are taken over the whole training split; "
                   "or compute within each example, such as `mean(x, axis = 1)`")  # fmt: skip
