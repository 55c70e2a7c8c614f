"""What is told to the user when a spec is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlspec.syntax.source import Span


@dataclass(slots=True)
class Note:
    """A second place that matters: where the other half of a conflict came from."""

    span: Span
    text: str


@dataclass(slots=True)
class Diagnostic:
    """One error: a stable code, one sentence, the place with a label, other places, and a hint."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    notes: list[Note] = field(default_factory=list)
    hint: str | None = None
    severity: str = "error"  # or "warning"


class SpecError(Exception):
    """A spec (or a command on it) is wrong. Carries every diagnostic found."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))


def fail(
    code: str, message: str, span: Span | None = None, label: str = "", hint: str | None = None
) -> SpecError:
    """A `SpecError` with one diagnostic, to be raised."""
    return SpecError([Diagnostic(code, message, span, label, hint=hint)])
