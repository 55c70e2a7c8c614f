"""`train_mean(x)` and `train_std(x)` in a `prepare`: numbers that the training split gives to all splits."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.data import Moment
from dlspec.ir.dims import symbol
from dlspec.ir.types import TensorType, tensor
from dlspec.syntax import tree

KINDS = {"train_mean": "mean", "train_std": "std"}


class Statistics:
    """What a preparation asks of the training split, collected while it is elaborated.

    They become inputs of the preparation, and outputs of a graph over the raw columns: both named, say, ``x_mean``.
    """

    def __init__(self, name: str, columns: dict[str, TensorType]) -> None:
        self.columns, self.builder = columns, Builder(name)
        batch = symbol("N")
        self.inputs = {
            column: self.builder.input(column, tensor(kind.dtype, (batch, *kind.shape)))
            for column, kind in columns.items()
        }
        self.made: dict[str, Moment] = {}

    def define(self, frame: Frame) -> None:
        """Make the functions known in a `prepare`, where no column has their name."""
        for name, kind in KINDS.items():
            if name not in self.columns:
                frame.scope.define(name, Statistic(name, kind, self))

    def name_of(self, kind: str, column: str, axes: list[int]) -> str:
        """The name of a statistic, which is computed once."""
        name = "_".join([column, kind, *map(str, axes[1:])])
        while name in self.columns:
            name += "_"
        if name not in self.made:
            value = self._compute(kind, self.inputs[column], axes)
            self.builder.output(name, value)
            self.made[name] = Moment(column=column, kind=kind, axes=tuple(axes), type=value.type)
        return name

    def _compute(self, kind: str, x: Handle, axes: list[int]) -> Handle:
        make = self.builder
        if not x.type.dtype.startswith(("f", "bf")):
            x = make.cast(x, dtype="f32")
        mean = make.mean(x, axis=axes, keepdims=True)
        if kind == "mean":
            return mean
        off = x - mean
        return make.sqrt(make.mean(off * off, axis=axes, keepdims=True))


class Statistic:
    """One of the functions."""

    def __init__(self, name: str, kind: str, statistics: Statistics) -> None:
        self.name, self.kind, self.statistics = name, kind, statistics

    def dls_call(self, expr: tree.Call, frame: Frame, piped: list[Any]) -> Handle:
        """The statistic of a column, with size 1 on the axes that it is taken over."""
        fed = [*piped, *(evaluate(a.value, frame) for a in expr.arguments if a.name is None)]
        named = {a.name.id: plain(evaluate(a.value, frame)) for a in expr.arguments if a.name is not None}
        axes = named.pop("axis", [0])
        value = fed[0] if len(fed) == 1 and isinstance(fed[0], Handle) else None
        if value is None or value.name not in self.statistics.columns or named or frame.builder is None:
            raise fail("DLS0519", f"`{self.name}` takes one column, as the source has it", expr.span,
                       "something else", f"write `x = (x - {self.name}(x)) / 2`, before `x` is changed")  # fmt: skip
        rank = len(value.type.shape)
        axes = sorted(axes) if isinstance(axes, list) else [axes]
        if not axes or axes[0] != 0 or any(not isinstance(a, int) or a >= rank for a in axes):
            raise fail("DLS0519", f"`axis` of `{self.name}` lists axes from 0, the examples, to {rank - 1}", expr.span,
                       "not such axes", "write `axis = [0, 2, 3]` for one number a channel")  # fmt: skip
        name = self.statistics.name_of(self.kind, value.name, axes)
        builder = frame.builder
        return (
            Handle(builder, name)
            if name in builder.types
            else builder.input(name, self.statistics.made[name].type)
        )
