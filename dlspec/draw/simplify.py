"""Panels with less in them: small operations gathered into one box, equal boxes in a row as one stack."""

from __future__ import annotations

from dlspec.draw.panel import Box, Panel

MOST = 7  # boxes of small operations in one place; more become one
SMALL = ("function", "join")


def gather_arithmetic(panel: Panel) -> Panel:
    """Join connected boxes of small operations where there are many.

    Boxes are joined only if no layer lies between them: if as many layers precede each, on the longest way.
    So no line can lead out of the joined box and back into it.
    """
    level: list[int] = []
    for index, box in enumerate(panel.boxes):
        before = max((level[i] for i in panel.before(index)), default=0)
        level.append(before + (box.kind not in SMALL))
    group = list(range(len(panel.boxes)))

    def root(index: int) -> int:
        while group[index] != index:
            index = group[index]
        return index

    for a, b in panel.edges:
        if panel.boxes[a].kind in SMALL and panel.boxes[b].kind in SMALL and level[a] == level[b]:
            group[root(b)] = root(a)
    members: dict[int, list[int]] = {}
    for index in range(len(panel.boxes)):
        members.setdefault(root(index), []).append(index)
    joined: dict[int, Box] = {}
    for indices in members.values():
        if len(indices) > MOST:
            titles = [t for i in indices for t in (panel.boxes[i].title, *panel.boxes[i].details)]
            named = [title for title in dict.fromkeys(titles) if len(title) > 2]
            details = [*named[:3], "…"] if len(named) > 3 else named
            joined[indices[-1]] = Box(
                f"{len(titles)} operations", "", details, panel.boxes[indices[-1]].shape
            )
    gone = {i: indices[-1] for indices in members.values() if len(indices) > MOST for i in indices}
    return _merged(panel, gone, joined)


def stack_equal(panel: Panel) -> Panel:
    """Equal boxes that feed one another, as one that says how many.

    The others that they read from and give to must be the same for all, but for what the first reads and what
    reads the last.
    """
    gone: dict[int, int] = {}
    joined: dict[int, Box] = {}
    for index, box in enumerate(panel.boxes):
        if box.kind in ("input", "output", "join"):
            continue
        for previous in panel.before(index):
            first = gone.get(previous, previous)
            last = joined.get(first, panel.boxes[first])
            reads, sent = {*panel.before(index)} - {previous}, {*panel.after(previous)} - {index}
            alike = reads <= {*panel.before(first)} and sent <= {*panel.after(index)}
            if alike and last.label == box.label:
                repeat = last.repeat + box.repeat
                joined[first] = Box(
                    box.title, box.arguments, box.details, box.shape, box.kind, repeat, box.value
                )
                gone[index] = first
                break
    return _merged(panel, gone, joined)


def _merged(panel: Panel, gone: dict[int, int], joined: dict[int, Box]) -> Panel:
    """The panel with boxes `gone` into others, which become `joined`."""
    if not gone:
        return panel
    kept = [index for index in range(len(panel.boxes)) if gone.get(index, index) == index]
    place = {index: number for number, index in enumerate(kept)}
    ends = (tuple(place[gone.get(end, end)] for end in edge) for edge in panel.edges)
    edges = dict.fromkeys((a, b) for a, b in ends if a != b)
    return Panel(panel.title, [joined.get(index, panel.boxes[index]) for index in kept], list(edges))
