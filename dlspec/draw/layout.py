"""Places for the boxes and lines of a panel, from its structure. Units are pixels; y grows downward."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlspec.draw.panel import Box, Panel
from dlspec.draw.series import Chain, Parallel, Structure, structure
from dlspec.draw.text import MEDIUM, SMALL, width_of

GAP = 18.0  # between boxes that follow one another
FAN = 14.0  # where branches part or meet
ASIDE = 22.0  # between boxes side by side
LANE = 16.0  # between a line that is led round and what it passes
BADGE = 34.0  # room for the number beside a stack
DEPTH = 6.0  # by how much the last box of a stack stands behind the first
HEIGHT = {"join": 24.0, "input": 24.0, "output": 24.0, "more": 24.0, "tag": 20.0}

Point = tuple[float, float]


@dataclass
class Placed:
    """A box with its left upper corner and size."""

    box: Box
    x: float
    y: float
    width: float
    height: float


@dataclass
class Line:
    """A line through points, its corners to be rounded; an arrow where it ends at a box."""

    points: list[Point]
    arrow: bool = False


@dataclass
class Layout:
    """A panel with all places; its left upper corner is the origin."""

    title: str
    boxes: list[Placed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class _Size:
    """Room to the left and right of the axis, and downward."""

    left: float
    right: float
    height: float


def layout(panel: Panel) -> Layout:
    """The layout of a panel."""
    return _Placer(panel, structure(panel)).run()


def box_size(box: Box) -> tuple[float, float]:
    """Width and height of a box that holds its words."""
    first = width_of(f"{box.title} {box.arguments}".strip(), MEDIUM, bold=True)
    second = width_of(second_line(box), SMALL, bold=True)
    if box.kind in HEIGHT:
        both = first + (second + 8 if second else 0)
        return max(both + 26, 34.0), HEIGHT[box.kind]
    return max(first, second, 76.0) + 22, 38.0 if second else 26.0


def second_line(box: Box) -> str:
    """What directly follows, and the shape of the result."""
    return "   ".join(part for part in (" · ".join(box.details), shown_shape(box)) if part)


def shown_shape(box: Box) -> str:
    """The shape of a result; arithmetic between tensors leaves it as it was."""
    return "" if box.kind == "join" and len(box.title) == 1 else box.shape


class _Placer:
    def __init__(self, panel: Panel, shape: Structure) -> None:
        self.panel, self.shape = panel, shape
        self.done = Layout(panel.title)
        self.placed: dict[int, Placed] = {}
        self.sizes: dict[int, _Size] = {}

    def run(self) -> Layout:
        size = self._chain_size(self.shape.chain)
        self._chain(self.shape.chain, size.left, 0.0)
        ends = ((self.placed.get(start), self.placed.get(end)) for start, end in self.shape.extra)
        drawn = [(a, b) for a, b in ends if a and b]  # a box may be one of many equal branches, left out
        for start, end in sorted(drawn, key=lambda pair: abs(pair[1].y - pair[0].y)):
            self._around(start, end)
        self.done.boxes = list(self.placed.values())
        corners = [x for line in self.done.lines for x, _ in line.points]
        left = min([p.x for p in self.done.boxes] + corners)
        right = max([p.x + p.width + (BADGE if p.box.repeat > 1 else 0) for p in self.done.boxes] + corners)
        for place in self.done.boxes:
            place.x -= left
        for line in self.done.lines:
            line.points = [(x - left, y) for x, y in line.points]
        self.done.width, self.done.height = right - left, size.height
        return self.done

    # --- sizes --------------------------------------------------------------------------------------

    def _size(self, item: int | Parallel) -> _Size:
        if id(item) not in self.sizes or isinstance(item, int):
            size = self._box_size(item) if isinstance(item, int) else self._parallel_size(item)
            self.sizes[id(item)] = size
        return self.sizes[id(item)]

    def _box_size(self, index: int) -> _Size:
        box = self.panel.boxes[index]
        width, height = box_size(box)
        left = right = width / 2
        for other in self.shape.before.get(index, ()):
            left += box_size(self.panel.boxes[other])[0] + ASIDE
        for other in self.shape.after.get(index, ()):
            right += box_size(self.panel.boxes[other])[0] + ASIDE
        stack = box.repeat > 1
        return _Size(left, right + BADGE * stack, height + DEPTH * stack)

    def _chain_size(self, chain: Chain) -> _Size:
        sizes = [self._size(item) for item in chain]
        height = sum(size.height for size in sizes) + GAP * (len(sizes) - 1)
        return _Size(
            max((s.left for s in sizes), default=0), max((s.right for s in sizes), default=0), height
        )

    def _parallel_size(self, item: Parallel) -> _Size:
        offsets, lanes = self._offsets(item)
        branches = [branch for branch in item.branches if branch]
        sizes = [self._chain_size(branch) for branch in branches]
        left = max(size.left - x for size, x in zip(sizes, offsets, strict=True))
        right = max([*(size.right + x for size, x in zip(sizes, offsets, strict=True)), *lanes])
        height = max(size.height for size in sizes) + FAN * (item.opens + item.closes)
        return _Size(left, right, height)

    def _offsets(self, item: Parallel) -> tuple[list[float], list[float]]:
        """Where the branches' axes lie, from the axis of the whole, and the lines that are led round them."""
        branches = [branch for branch in item.branches if branch]
        sizes = [self._chain_size(branch) for branch in branches]
        axes, x = [], 0.0
        for size in sizes:
            axes.append(x + size.left)
            x += size.left + size.right + ASIDE
        lengths = [_boxes(branch) for branch in branches]
        longest = lengths.index(max(lengths))
        others = sum(lengths) - lengths[longest]
        center = axes[longest] if lengths[longest] >= 3 * others else (axes[0] + axes[-1]) / 2
        right = x - ASIDE - center
        empty = sum(not branch for branch in item.branches)
        return [axis - center for axis in axes], [right + LANE * (i + 1) for i in range(empty)]

    # --- places -------------------------------------------------------------------------------------

    def _chain(self, chain: Chain, axis: float, y: float) -> float:
        """Place a chain from `y` downward; where it ends."""
        for number, item in enumerate(chain):
            if number:
                self._line([(axis, y), (axis, y + GAP)], isinstance(item, int))
                y += GAP
            if isinstance(item, int):
                self._box(item, axis, y)
            else:
                self._parallel(item, axis, y)
            y += self._size(item).height
        return y

    def _box(self, index: int, axis: float, y: float) -> None:
        box = self.panel.boxes[index]
        place = self._put(index, axis - box_size(box)[0] / 2, y + DEPTH * (box.repeat > 1))
        middle, x = y + place.height / 2, place.x
        for other in self.shape.before.get(index, ()):
            width, height = box_size(self.panel.boxes[other])
            beside = self._put(other, x - ASIDE - width, middle - height / 2)
            self._line([(beside.x + width, middle), (x, middle)], True)
            x = beside.x
        x = place.x + place.width + BADGE * (box.repeat > 1)
        for other in self.shape.after.get(index, ()):
            _, height = box_size(self.panel.boxes[other])
            beside = self._put(other, x + ASIDE, middle - height / 2)
            self._line([(x, middle), (beside.x, middle)], True)
            x = beside.x + beside.width

    def _put(self, index: int, x: float, y: float) -> Placed:
        box = self.panel.boxes[index]
        self.placed[index] = Placed(box, x, y, *box_size(box))
        return self.placed[index]

    def _parallel(self, item: Parallel, axis: float, y: float) -> None:
        offsets, lanes = self._offsets(item)
        bottom = y + self._size(item).height
        top, end = y + FAN * item.opens, bottom - FAN * item.closes
        for branch, offset in zip([b for b in item.branches if b], offsets, strict=True):
            free = end - top - self._chain_size(branch).height
            start = top + free * (0 if not item.closes else 1 if not item.opens else 0.5)
            if item.opens:
                self._line(
                    [(axis, y), (axis + offset, y), (axis + offset, start)], isinstance(branch[0], int)
                )
            stop = self._chain(branch, axis + offset, start)
            if item.closes:
                self._line([(axis + offset, stop), (axis + offset, bottom), (axis, bottom)], False)
        for lane in lanes:
            self._line([(axis, y), (axis + lane, y), (axis + lane, bottom), (axis, bottom)], False)

    def _around(self, start: Placed, end: Placed) -> None:
        """A line from the side of one box to that of another, round all that lies between."""
        first, last = start.y + start.height / 2, end.y + end.height / 2
        low, high = min(first, last), max(first, last)
        near = [p for p in self.placed.values() if p.y < high and p.y + p.height > low]
        passed = [x for line in self.done.lines for x in _crossings(line, low, high)]
        lane = max([p.x + p.width + (BADGE if p.box.repeat > 1 else 0) for p in near] + passed) + LANE
        ends = start.x + start.width, end.x + end.width
        if self._crossed(start, first, 1) + self._crossed(end, last, 1) > (
            self._crossed(start, first, -1) + self._crossed(end, last, -1)
        ):
            lane, ends = min([p.x for p in near] + passed) - LANE, (start.x, end.x)
        self._line([(ends[0], first), (lane, first), (lane, last), (ends[1], last)], True)

    def _crossed(self, place: Placed, y: float, side: int) -> int:
        """The boxes at one side of a box, at the height of its middle."""
        others = (p for p in self.placed.values() if p is not place and p.y <= y <= p.y + p.height)
        return sum((p.x - place.x) * side > 0 for p in others)

    def _line(self, points: list[Point], arrow: bool) -> None:
        kept = [points[0]]
        for point in points[1:]:
            if point != kept[-1]:
                kept.append(point)
        if len(kept) > 1:
            self.done.lines.append(Line(kept, arrow))


def _crossings(line: Line, low: float, high: float) -> list[float]:
    """Where a line is at heights between two."""
    pairs = zip(line.points, line.points[1:], strict=False)
    near = [
        pair for pair in pairs if min(pair[0][1], pair[1][1]) <= high and max(pair[0][1], pair[1][1]) >= low
    ]
    return [x for pair in near for x, _ in pair]


def _boxes(chain: Chain) -> int:
    return sum(1 if isinstance(item, int) else max(map(_boxes, item.branches)) for item in chain)
