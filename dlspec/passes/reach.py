"""The graphs that are to be printed, callees first."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.ir.graph import Call, Program


def by_name(program: Program, entries: Sequence[str]) -> dict[str, list[str]]:
    """The graphs reachable from `entries` by the name of their definition, callees first."""
    order: dict[str, None] = {}

    def visit(current: str) -> None:
        if current not in order:
            for callee in dict.fromkeys(
                n.op.graph for n in program.graphs[current].nodes if isinstance(n.op, Call)
            ):
                visit(callee)
            order[current] = None

    for entry in entries:
        visit(entry)
    names: dict[str, list[str]] = {}
    after: dict[str, set[str]] = {}  # a definition must wait for those that any of its instances calls
    for current in order:
        graph = program.graphs[current]
        names.setdefault(graph.name, []).append(current)
        callees = {program.graphs[n.op.graph].name for n in graph.nodes if isinstance(n.op, Call)}
        after.setdefault(graph.name, set()).update(callees)
    done: dict[str, list[str]] = {}

    def place(name: str) -> None:
        if name not in done:
            for callee in sorted(after[name] - {name}, key=list(names).index):
                place(callee)
            done[name] = names[name]

    for name in names:
        place(name)
    return done
