"""Watching a training: a progress bar in a terminal, plain lines now and then in a pipe, nothing beside JSON."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

SECONDS_BETWEEN = 1.0  # two calls of `after`
METRICS = 2  # that a bar has room for
SILENCE = 30.0  # seconds without a line, after which a pipe is told where training is


class Watch:
    """What is shown of a training: the lines that it prints, and where it is (see `dlspec.runtime.watched`)."""

    def __init__(self, quiet: bool = False, after: Callable[[], object] | None = None) -> None:
        self.quiet, self.after = quiet, after
        self.bar: Bar | None = None
        self.first: tuple[float, int] | None = None  # when this process began to train, and how far it was
        self.said = self.recorded = time.monotonic()
        self.failure: dict[str, Any] = {}
        self.found: dict[str, Any] = {}

    @property
    def cause(self) -> tuple[Any, ...] | None:
        """The message and the rest of the error, where a loss was not finite."""
        if not self.failure:
            return None
        form = (
            "{message} in epoch {epoch}, step {batch} of it"
            if self.failure["epoch"]
            else "{message} in update {batch}"
        )
        text = form.format(**self.failure)
        if self.found:
            text += f". First, {self.found['what']}"
            text += f", at {self.found['where']} `{self.found['line']}`" if "where" in self.found else ""
            text += f"; then {self.found['then']}" if "then" in self.found else ""
        hint = HINTS.get(self.found.get("kind", ""))
        return (text, None, "", hint)

    def line(self, text: str) -> None:
        """A line that the training printed; `after` is called then."""
        self.said = time.monotonic()
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
        elif values["event"] == "step":
            self._step(values, time.monotonic())

    def _step(self, values: dict[str, Any], now: float) -> None:
        self.first = self.first or (now, values["done"])
        if self.bar:
            self.bar.step(values)
        elif not self.quiet and now - self.said > SILENCE:
            self.said = now
            parts = [_place(values), *_figures(values), *_left(values, self.first, now)]
            click.echo("  ".join(filter(None, parts)))
        if self.after and now - self.recorded > SECONDS_BETWEEN:
            self.recorded = now
            self.after()


def _place(values: dict[str, Any]) -> str:
    """Where a training is, in words."""
    if not values["epoch"]:
        return f"step {values['done']:,}/{values['total']:,}"
    return f"epoch {values['epoch']}/{values['epochs']}"


def _figures(values: dict[str, Any]) -> list[str]:
    """The losses and the rate."""
    losses = [f"{name} {value:.4g}" for name, value in values["losses"].items()]
    return [*losses, f"{values['rate']:,.0f}/s" if values["rate"] else ""]  # not known at the first step


def _left(values: dict[str, Any], first: tuple[float, int], now: float) -> list[str]:
    """How far it is, and how long the rest will take at the rate since the first step here."""
    start, before = first
    done, total = values["done"], values["total"]
    if not total or done <= before:
        return []
    seconds = (total - done) * (now - start) / (done - before)
    return [f"{100 * done // total} % done", f"{timedelta(seconds=round(seconds))} left"]


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
    """A bar for the whole run, with the losses, the last metrics, the rate and the time that is left."""

    def __init__(self, progress: Any) -> None:
        self.progress = progress
        self.task = progress.add_task("starting", total=None, figures="", start=False)
        self.metrics: list[str] = []
        self.began = False

    def line(self, text: str) -> None:
        """A line above the bar."""
        pairs = re.findall(r"(\S+) (\S+)(?:  |$)", text) if text.startswith("epoch ") else []
        measured = [f"{name} {value}" for name, value in pairs if name.partition("_")[2] not in ("", "loss")]
        self.metrics = measured[:METRICS] or self.metrics
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, values: dict[str, Any]) -> None:
        """Where the training is."""
        *losses, rate = _figures(values)
        known = {"total": values["total"], "completed": values["done"]}
        shown = {"description": _place(values), "figures": "  ".join([*losses, *self.metrics, rate])}
        if not self.began:  # of a run that goes on, the part that was done before took no time
            self.began = True
            self.progress.reset(self.task, **known, **shown)
        self.progress.update(self.task, **known, **shown)
