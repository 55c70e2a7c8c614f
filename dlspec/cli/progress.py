"""Watching a training: a progress bar in a terminal, plain lines in a pipe, nothing beside JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


class Watch:
    """What is shown of a training: the lines that it prints, and where it is (see `dlspec.runtime.watched`)."""

    def __init__(self, quiet: bool = False, after: Callable[[], object] | None = None) -> None:
        self.quiet, self.after = quiet, after
        self.bar: Bar | None = None
        self.failure: dict[str, Any] = {}
        self.found: dict[str, Any] = {}

    @property
    def cause(self) -> tuple[Any, ...] | None:
        """The message and the rest of the error, where a loss was not finite."""
        if not self.failure:
            return None
        text = "{message} in epoch {epoch}, step {batch} of it".format(**self.failure)
        if self.found:
            text += f". First, {self.found['what']}"
            text += f", at {self.found['where']} `{self.found['line']}`" if "where" in self.found else ""
            text += f"; then {self.found['then']}" if "then" in self.found else ""
        hint = HINTS.get(self.found.get("kind", ""))
        return (text, None, "", hint)

    def line(self, text: str) -> None:
        """A line that the training printed; `after` is called then."""
        if self.after:
            self.after()
        if self.bar:
            self.bar.line(text)
        elif not self.quiet:
            click.echo(text)

    def event(self, values: dict[str, Any]) -> None:
        """Something that the training told."""
        if values["event"] == "not finite":
            self.failure = values
            self.line(f"{values['message']}: looking for the cause")
        elif values["event"] == "cause":
            self.found = values
        elif values["event"] == "step" and self.bar:
            self.bar.step(values)


HINTS = {
    "data": "the examples themselves have it: clean them, or replace it in `prepare`",
    "operation": "keep its operands where it is defined, with `clip` or a small number added; or learn more slowly",
    "weight": "learn more slowly, or limit the gradients",
}


@contextmanager
def shown(watch: Watch) -> Iterator[None]:
    """While it lasts, a bar is shown where the output goes to a terminal."""
    if watch.quiet or not sys.stdout.isatty():
        yield
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        watch.bar = Bar(progress)
        yield
    watch.bar = None


class Bar:
    """A bar for the whole run, with the losses, the rate and the time that is left."""

    def __init__(self, progress: Any) -> None:
        self.progress = progress
        self.task = progress.add_task("", total=None, figures="")

    def line(self, text: str) -> None:
        """A line above the bar."""
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, values: dict[str, Any]) -> None:
        """Where the training is."""
        figures = [f"{name} {value:.4g}" for name, value in values["losses"].items()]
        batches = values["batches"] or values["batch"]
        self.progress.update(
            self.task,
            total=values["epochs"] * batches,
            completed=(values["epoch"] - 1) * batches + values["batch"],
            description=f"epoch {values['epoch']}/{values['epochs']}",
            figures="  ".join([*figures, f"{values['rate']:,.0f}/s"]),
        )
