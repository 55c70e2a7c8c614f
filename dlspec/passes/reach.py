"""The graphs that are to be printed, callees first."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.ir.graph import Call, Program


def by_name(program: Program, entries: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The graphs reachable from `entries` by the name of their definition, callees first.

    Definitions of one name, such as two files may have, are one group, unless they use each other.
    """
    groups: list[tuple[str, list[str]]] = []
    of: dict[str, int] = {}
    latest: dict[str, int] = {}
    after: list[set[int]] = []  # a group must wait for those that any of its graphs calls

    def waits_for(callees: set[int], group: int) -> bool:
        """Whether the callees, or what they use, are or use `group`."""
        waiting, seen = list(callees), set(callees)
        while waiting:
            new = after[waiting.pop()] - seen
            waiting.extend(new)
            seen |= new
        return group in seen

    def visit(key: str) -> None:
        if key in of:
            return
        called = list(dict.fromkeys(n.op.graph for n in program.graphs[key].nodes if isinstance(n.op, Call)))
        for callee in called:
            visit(callee)
        name, callees = program.graphs[key].name, {of[callee] for callee in called}
        group = latest.get(name, -1)
        if group < 0 or waits_for(callees, group):
            group = latest[name] = len(groups)
            groups.append((name, []))
            after.append(set())
        groups[group][1].append(key)
        after[group] |= callees
        of[key] = group

    for entry in entries:
        visit(entry)
    done: dict[int, tuple[str, list[str]]] = {}

    def place(group: int) -> None:
        if group not in done:
            for callee in sorted(after[group]):
                place(callee)
            done[group] = groups[group]

    for group in range(len(groups)):
        place(group)
    return list(done.values())
