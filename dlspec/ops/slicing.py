"""Basic slicing, and what is made of it: `x[:, 0]`, flips and rolls."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import Axes, all_axes, size_value
from dlspec.ops._numpy import np

END = 2**63 - 1
"""What ONNX writes for the end of an axis."""


def _plain(entry: Any) -> Any:
    if isinstance(entry, slice):
        return (entry.start, entry.stop, entry.step)
    return "..." if entry is Ellipsis else entry


Range = tuple[Dim | None, Dim | None, int | None]
Entry = Annotated[Literal["..."] | Range | Dim | None, BeforeValidator(_plain)]
"""For one axis: ``(start, stop, step)``, an index, ``None`` for a new axis, or ``"..."``."""


class Slice(Op):
    """Basic slicing, `x[:, 0]`, `x[..., 1:]`, `x[:, none]`; negative places count from the end.

    A range must lie inside its axis (it is not cut off in silence), and steps are positive.
    """

    examples: ClassVar = [
        ({"index": [[None, None, None], 0]}, ("f32[2, 3, 4]",)),
        ({"index": ["...", [1, None, None]]}, ("f32[2, 3, 4]",)),
        ({"index": [[None, None, 2], None, -1]}, ("f32[5, 3]",)),
        ({"index": [[-2, None, None], [0, 2, None]]}, ("f32[3, 4]",)),
        ({"index": [[1, -1, None]]}, ("i64[4, 2]",)),
        ({"index": [0]}, ("f32[3]",)),
        ({"index": [[1, 6, 3]]}, ("f32[7]",)),
    ]

    index: tuple[Entry, ...]

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"index": self._entries(x)})

    def infer(self, x: TensorType) -> TensorType:
        shape: list[Dim] = []
        for entry in self._entries(x):
            if entry is None:
                shape.append(1)
            elif isinstance(entry, tuple):
                start, stop, step = entry
                shape.append((stop - start + step - 1) // step)
        return x.with_shape(shape)

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`subscript` as Python prints it, `ranges` in parts; the other facts as ONNX's Slice takes them."""
        entries = self._entries(x)
        text, moved, axis = [], [], 0
        for entry in entries:
            if entry is None:
                text.append("None")
                continue
            length = x.shape[axis]
            if isinstance(entry, tuple):
                text.append(_range_text(entry, length))
                if entry != (0, length, 1):
                    moved.append((axis, _relative(entry[0], length), _stop(entry[1], length), entry[2]))
            else:
                text.append(str(_relative(entry, length)))
            axis += 1
        while len(text) > 1 and text[-1] == ":":
            text.pop()
        axes, starts, ends, steps = (
            (tuple(column) for column in zip(*moved, strict=True)) if moved else ((),) * 4
        )
        facts = {"axes": axes, "starts": starts, "ends": ends, "steps": steps}
        ranges = _ranges(entries, x)
        return {"subscript": ", ".join(text), "ranges": ranges, "plain": _is_plain(entries), **facts}

    def _entries(self, x: TensorType) -> tuple[Any, ...]:
        """One entry for each axis (and new axes) with everything explicit and counted from the front."""
        given = list(self.index)
        missing = x.rank - sum(entry is not None and entry != "..." for entry in given)
        if missing < 0:
            raise OpError(
                f"{x.rank - missing} indices for the {x.rank} axes of {x}",
                operand=0,
                argument=f"index[{len(given) - 1}]",
                label="one too many",
                code="DLS0302",
            )
        if given.count("...") > 1:
            second = [i for i, entry in enumerate(given) if entry == "..."][1]
            raise OpError(
                "an index may contain `...` only once",
                argument=f"index[{second}]",
                label="second one",
                code="DLS0221",
            )
        place = given.index("...") if "..." in given else len(given)
        given[place : place + 1] = [(None, None, None)] * missing
        axes = iter(range(x.rank))
        after = len(self.index) - len(given)  # how far `...` moved the entries behind it
        return tuple(
            None
            if entry is None
            else _explicit(entry, x, next(axes), f"index[{i if i < place else i + after}]")
            for i, entry in enumerate(given)
        )

    def reference(self, x: Any) -> Any:
        entries = self._entries(tensor("f32", x.shape))
        return x[tuple(slice(*entry) if isinstance(entry, tuple) else entry for entry in entries)]

    def decompose(self, b: Any, x: Any) -> Any:
        entries = self._entries(x.type)
        if _is_plain(entries):
            return NotImplemented
        ranges = tuple(
            entry if isinstance(entry, tuple) else (entry, entry + 1, 1)
            for entry in entries
            if entry is not None
        )
        return b.reshape(b.slice(x, index=ranges), shape=self.infer(x.type).shape)


def _ranges(entries: tuple[Any, ...], x: TensorType) -> tuple[Any, ...]:
    """The entries with None for what Python need not write; whole axes at the end are left out."""
    lengths = iter(x.shape)
    found: list[Any] = []
    for entry in entries:
        if entry is None:
            found.append(None)
            continue
        length = next(lengths)
        if isinstance(entry, tuple):
            start, stop, step = entry
            first = None if start == 0 else _relative(start, length)
            last = None if stop == length else _relative(stop, length)
            if start and start + stop == length:
                last = stop - length  # as much is left off at both ends: 1:-1 says so, whatever the length
            found.append((first, last, None if step == 1 else step))
        else:
            found.append(_relative(entry, length))
    while len(found) > 1 and found[-1] == (None, None, None):
        found.pop()
    return tuple(found)


def _is_plain(entries: tuple[Any, ...]) -> bool:
    return all(isinstance(entry, tuple) for entry in entries)


def _explicit(entry: Any, x: TensorType, axis: int, argument: str) -> Any:
    length = x.shape[axis]
    if not isinstance(entry, tuple):
        at = _place(entry, length)
        if isinstance(at, int) and (at < 0 or (isinstance(length, int) and at >= length)):
            raise _outside(f"index {entry} lies outside axis {axis} of {x}", length, argument)
        return at
    step = 1 if entry[2] is None else entry[2]
    if step < 1:
        raise OpError(
            f"the step of a slice is positive, not {step}",
            argument=argument,
            label="not positive",
            hint=f"use `flip(x, axis = {axis})` to turn an axis round",
            code="DLS0214",
        )
    start = 0 if entry[0] is None else _place(entry[0], length)
    stop = length if entry[1] is None else _place(entry[1], length)
    beyond = isinstance(stop, int) and isinstance(length, int) and stop > length
    count = stop - start
    if beyond or (isinstance(start, int) and start < 0) or (isinstance(count, int) and count < 0):
        text = _range_text((entry[0] or 0, length if entry[1] is None else entry[1], step), length)
        raise _outside(f"the range `{text}` goes beyond axis {axis} of {x}", length, argument)
    return (start, stop, step)


def _outside(message: str, length: Dim, argument: str) -> OpError:
    return OpError(message, operand=0, argument=argument, label=f"the axis has {length}", code="DLS0319")


def _place(place: Dim, length: Dim) -> Dim:
    return place + length if isinstance(place, int) and place < 0 else place


def _relative(place: Dim, length: Dim) -> Dim:
    """`place` as a plain number where it is one, counted from the end if need be."""
    from_end = place - length
    return from_end if not isinstance(place, int) and isinstance(from_end, int) and from_end < 0 else place


def _stop(stop: Dim, length: Dim) -> Dim:
    return END if stop == length else _relative(stop, length)


def _range_text(entry: Any, length: Dim) -> str:
    start, stop, step = entry
    first = "" if start == 0 else str(_relative(start, length))
    last = "" if stop == length else str(_relative(stop, length))
    return f"{first}:{last}" + (f":{step}" if step != 1 else "")


class Flip(Op):
    """The elements in reverse order along `axis` (one, a list, or all when left out)."""

    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 3]",)),
        ({}, ("f32[2, 3]",)),
        ({"axis": [0, -1]}, ("i64[2, 2, 3]",)),
    ]

    axis: Axes = None

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": all_axes(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        all_axes(self.axis, x.rank)
        return x

    def facts(self, x: TensorType) -> dict[str, Any]:
        axes = all_axes(self.axis, x.rank)
        return {"single_axis": axes[0] if len(axes) == 1 else None}

    def reference(self, x: Any) -> Any:
        return np.flip(x, self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        for axis in all_axes(self.axis, x.type.rank):
            length = x.type.shape[axis]
            forward = b.arange(start=0, stop=length)
            x = b.take(x, size_value(b, length - 1, forward) - forward, axis=axis)
        return x


class Roll(Op):
    """The elements moved `shift` places along `axis`; what leaves at one end enters at the other."""

    examples: ClassVar = [
        ({"shift": 1, "axis": 1}, ("f32[2, 5]",)),
        ({"shift": -2, "axis": 0}, ("f32[3, 2]",)),
        ({"shift": 7, "axis": -1}, ("f32[2, 5]",)),
        ({"shift": 0, "axis": 0}, ("i64[3]",)),
    ]

    shift: int
    axis: int

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        axis_index(self.axis, x.rank)
        return x

    def reference(self, x: Any) -> Any:
        return np.roll(x, self.shift, self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        axis = axis_index(self.axis, x.type.rank)
        length = x.type.shape[axis]
        # A symbolic length is taken to be greater than the shift, as every range is taken to lie inside.
        cut = (-self.shift) % length if isinstance(length, int) else -self.shift
        if length == 0 or cut == 0:
            return b.slice(x, index=("...",))
        before = (slice(None),) * axis
        return b.concat(
            b.slice(x, index=(*before, slice(cut, None))),
            b.slice(x, index=(*before, slice(None, cut))),
            axis=axis,
        )
