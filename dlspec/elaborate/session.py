"""What one elaboration shares: the graphs made so far, the diagnostics, and the limits."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError
from dlspec.ir.graph import Graph, Location
from dlspec.syntax import tree
from dlspec.syntax.source import Span

MAX_NODES = 1_000_000
MAX_REPEAT = 100_000
MAX_DEPTH = 64


class Session:
    """Collects graphs under unique keys and diagnostics without repeats."""

    def __init__(self, overrides: dict[str, Any] | None = None) -> None:
        self.graphs: dict[str, Graph] = {}
        self.memo: dict[Any, str] = {}
        self.diagnostics: list[Diagnostic] = []
        self.overrides = dict(overrides or {})
        self.unused_overrides = set(self.overrides)
        self.active: list[tuple[tree.Block, Span]] = []  # blocks being instantiated, outermost first
        self.nodes = 0
        self._seen: set[tuple[str, str, int, int]] = set()

    def report(self, error: SpecError) -> None:
        """Keep the diagnostics of an error, each place and code once."""
        for diagnostic in error.diagnostics:
            span = diagnostic.span
            place = (span.source.name, span.start, span.end) if span else ("", 0, 0)
            identity = (diagnostic.code, *place)
            if identity not in self._seen:
                self._seen.add(identity)
                self.diagnostics.append(self._with_uses(diagnostic))

    def add_graph(self, graph: Graph) -> str:
        """Store a graph under its name, made unique; returns the key."""
        key, count = graph.name, 1
        while key in self.graphs:
            count += 1
            key = f"{graph.name}#{count}"
        self.graphs[key] = graph
        return key

    def count_nodes(self, amount: int, span: Span) -> None:
        """Refuse a spec that expands beyond the stated limit."""
        self.nodes += amount
        if self.nodes > MAX_NODES:
            raise SpecError(
                [
                    Diagnostic(
                        "DLS0603",
                        f"the spec expands to more than {MAX_NODES:,} operations",
                        span,
                        "while expanding this",
                        hint="use `repeat`, which does not write copies out",
                    )
                ]
            )

    def _with_uses(self, diagnostic: Diagnostic) -> Diagnostic:
        """Add where the block that holds the error was used, as it may be fine elsewhere."""
        for block, span in reversed(self.active[-2:]):
            known = [diagnostic.span, block.name.span, *(note.span for note in diagnostic.notes)]
            if diagnostic.span is not None and not any(span is other for other in known):
                diagnostic.notes.append(Note(span, f"`{block.name.id}` is used here"))
        return diagnostic


def location(span: Span) -> Location:
    """The place of a span as the IR keeps it."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return Location.model_construct(
        file=span.source.name, line=line, column=column, end_line=end_line, end_column=end_column
    )
