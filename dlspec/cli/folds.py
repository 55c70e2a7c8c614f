"""`dlspec train --fold all`: what all folds of a split ended with, together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import click

from dlspec.cli.common import echo_json


def report_folds(folders: Sequence[Path], as_json: bool) -> None:
    """The mean of each result over the folds, and its standard deviation (of a sample: divided by folds - 1)."""
    results = [json.loads((folder / "metrics.json").read_text("utf-8"))["results"] for folder in folders]
    total = summary(results)
    if as_json:
        each = [{"folder": str(f), "results": r} for f, r in zip(folders, results, strict=True)]
        echo_json({"ok": True, "folds": each, "results": total})
        return
    click.echo(f"\nover {len(folders)} folds, mean ± standard deviation:")
    for split, values in total.items():
        figures = "  ".join(f"{n} {v['mean']:.4g} ± {v['deviation']:.2g}" for n, v in values.items())
        click.echo(f"{split}: {figures}")


def summary(results: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean and standard deviation of every result that is a number, by split and name."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split, values in results[0].items():
        for name in (name for name, value in values.items() if isinstance(value, int | float)):
            numbers = [each[split][name] for each in results]
            found.setdefault(split, {})[name] = {"mean": fmean(numbers), "deviation": stdev(numbers)}
    return found
