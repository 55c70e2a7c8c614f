"""The structure of a panel: what follows one another, and what runs side by side.

Networks are series-parallel almost everywhere: chains, branches that part and meet again, inputs that are led
round. Reducing the graph edge by edge (Valdes, Tarjan and Lawler 1982) finds this; the few lines that do not
fit are set aside, to be drawn round everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from dlspec.draw.panel import Box, Panel

SOURCE, SINK = -1, -2
MOST = 4  # branches of one look that are drawn
HUB = 3  # lines of one box, outside the structure, from which on they are not drawn but named


@dataclass
class Parallel:
    """Branches from one place to another; an empty one is a line.

    opens, closes
        whether the branches begin and end at a place that is drawn: not so for several inputs or outputs.
    """

    branches: list[Chain]
    opens: bool = True
    closes: bool = True


Chain = list["int | Parallel"]


@dataclass
class _Edge:
    start: int
    end: int
    chain: Chain


@dataclass
class Structure:
    """The chain from inputs to outputs, the lines outside of it, and boxes that stand beside one of it.

    before, after
        boxes by the box whose left or right they stand at: weights that are added, results from the middle.
    """

    chain: Chain = field(default_factory=list)
    extra: list[tuple[int, int]] = field(default_factory=list)
    before: dict[int, list[int]] = field(default_factory=dict)
    after: dict[int, list[int]] = field(default_factory=dict)


def structure(panel: Panel) -> Structure:
    """The structure of a panel of at least one box."""
    return _Reduction(panel).run()


class _Reduction:
    def __init__(self, panel: Panel) -> None:
        self.found, self.panel = Structure(), panel
        beside = self._beside(panel)
        self.edges = [_Edge(a, b, []) for a, b in panel.edges if a not in beside and b not in beside]
        inner = [index for index in range(len(panel.boxes)) if index not in beside]
        starts, ends = {e.start for e in self.edges}, {e.end for e in self.edges}
        self.edges = (
            [_Edge(SOURCE, index, []) for index in inner if index not in ends]
            + self.edges
            + [_Edge(index, SINK, []) for index in inner if index not in starts]
        )
        self.rank = self._ranks()

    def _beside(self, panel: Panel) -> set[int]:
        """Boxes that are drawn beside another, not above or below."""
        beside: set[int] = set()
        for index, box in enumerate(panel.boxes):
            before, after = panel.before(index), panel.after(index)
            if not before and len(after) == 1 and box.kind != "input" and len(panel.before(after[0])) > 1:
                self.found.before.setdefault(after[0], []).append(index)
                beside.add(index)
            elif (
                box.kind == "output"
                and len(before) == 1
                and any(panel.boxes[i].kind != "output" for i in panel.after(before[0]))
            ):
                self.found.after.setdefault(before[0], []).append(index)
                beside.add(index)
        return beside

    def _ranks(self) -> dict[int, int]:
        """The place of each box in an order of evaluation."""
        waiting = {index: 0 for edge in self.edges for index in (edge.start, edge.end)}
        for edge in self.edges:
            waiting[edge.end] += 1
        ready, rank = [SOURCE], dict[int, int]()
        while ready:
            index = ready.pop(0)
            rank[index] = len(rank)
            for edge in self.edges:
                if edge.start == index:
                    waiting[edge.end] -= 1
                    if not waiting[edge.end]:
                        ready.append(edge.end)
        return rank

    def run(self) -> Structure:
        while len(self.edges) > 1 or self.edges[0].start != SOURCE or self.edges[0].end != SINK:
            if not (self._series() or self._parallel()):
                self._set_aside()
        self.found.chain = self.edges[0].chain
        self._name_hubs()
        return self.found

    def _name_hubs(self) -> None:
        """Where many lines outside the structure leave one box or reach one, its name stands at their other ends."""
        for side, beside in ((0, self.found.before), (1, self.found.after)):
            ends = Counter(line[side] for line in self.found.extra)
            for line in [line for line in self.found.extra if ends[line[side]] >= HUB]:
                box = self.panel.boxes[line[side]]
                self.panel.boxes.append(Box(box.value or box.title, kind="tag"))
                beside.setdefault(line[1 - side], []).append(len(self.panel.boxes) - 1)
                self.found.extra.remove(line)

    def _series(self) -> bool:
        """Join edges that meet at a box which has no others."""
        into: dict[int, list[_Edge]] = {}
        out: dict[int, list[_Edge]] = {}
        for edge in self.edges:
            into.setdefault(edge.end, []).append(edge)
            out.setdefault(edge.start, []).append(edge)
        middles = [index for index in into if len(into[index]) == 1 and len(out.get(index, [])) == 1]
        for index in sorted(middles, key=lambda each: self.rank[each]):
            (first,), (second,) = into[index], out[index]
            first.chain = [*first.chain, index, *second.chain]
            first.end = second.end
            self.edges.remove(second)
            into[second.end] = [first if edge is second else edge for edge in into[second.end]]
        return bool(middles)

    def _parallel(self) -> bool:
        """Join edges between the same two places."""
        groups: dict[tuple[int, int], list[_Edge]] = {}
        for edge in self.edges:
            groups.setdefault((edge.start, edge.end), []).append(edge)
        many = [group for group in groups.values() if len(group) > 1]
        for group in many:
            branches = self._few([branch for edge in group for branch in _branches(edge.chain)])
            both = Parallel(branches, group[0].start != SOURCE, group[0].end != SINK)
            group[0].chain = [both]
            for edge in group[1:]:
                self.edges.remove(edge)
        return bool(many)

    def _few(self, branches: list[Chain]) -> list[Chain]:
        """The branches, but of many equal ones only the first, the number of those left out, and the last."""
        kept: list[Chain] = []
        for _, run in groupby(branches, key=self._title):
            equal = list(run)
            if len(equal) > MOST:
                self.panel.boxes.append(Box("⋯", f"{len(equal) - 2} more", kind="more"))
                equal = [equal[0], [len(self.panel.boxes) - 1], equal[-1]]
            kept += equal
        return kept

    def _title(self, chain: Chain) -> tuple[object, ...]:
        return tuple(
            (self.panel.boxes[i].title, self.panel.boxes[i].arguments) if isinstance(i, int) else id(i)
            for i in chain
        )

    def _set_aside(self) -> None:
        """Take out the longest line that its ends can do without; of a branch, only where it comes back."""
        starts = [edge.start for edge in self.edges]
        ends = [edge.end for edge in self.edges]
        usable = [e for e in self.edges if ends.count(e.end) > 1 and e.end != SINK]
        lines = [e for e in usable if not e.chain and starts.count(e.start) > 1 and e.start != SOURCE]
        if lines:
            edge = max(lines, key=self._length)
            self.edges.remove(edge)
            self.found.extra.append((edge.start, edge.end))
            return
        edge = max(usable, key=self._length)
        tails = list(_tails(edge.chain)) or [edge.start]
        self.found.extra += [(tail, edge.end) for tail in tails if tail != SOURCE]
        edge.end = SINK

    def _length(self, edge: _Edge) -> int:
        return self.rank[edge.end] - self.rank[edge.start]


def _branches(chain: Chain) -> list[Chain]:
    """The branches of a chain that is nothing but branches, so that they do not nest."""
    if len(chain) == 1 and isinstance(chain[0], Parallel):
        return chain[0].branches
    return [chain]


def _tails(chain: Chain) -> Iterator[int]:
    """The last boxes of a chain."""
    if chain and isinstance(chain[-1], Parallel):
        for branch in chain[-1].branches:
            yield from _tails(branch)
    elif chain:
        yield chain[-1]  # type: ignore[misc]
