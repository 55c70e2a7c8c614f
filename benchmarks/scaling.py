"""How work grows: 100, 1,000 and 10,000 layers, written out a line each, in one pipe, and as `repeat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import stages
from benchmarks.specs import FORMS, SIZES
from benchmarks.timing import cpu, table

GROWTH_TARGET = 2.0  # cost per layer at the largest size against the middle one; 1 is linear


def measure(form: Callable[[int], str]) -> dict[str, list[float]]:
    """CPU seconds of each stage at each size."""
    times: dict[str, list[float]] = {"parse": [], "check": [], "print": []}
    for size in SIZES:
        text = form(size)
        file = stages.parse(text)
        program = stages.check(file)
        works: dict[str, Callable[[], Any]] = {
            "parse": lambda text=text: stages.parse(text),
            "check": lambda file=file: stages.check(file),
            "print": lambda program=program: stages.emit(program, "torch"),
        }
        for stage, work in works.items():
            times[stage].append(cpu(work, runs=3 if size < SIZES[-1] else 2))
    return times


def main() -> None:
    rows = []
    for name, form in FORMS.items():
        for stage, seconds in measure(form).items():
            per_layer = [1e6 * s / size for s, size in zip(seconds, SIZES, strict=True)]
            growth = seconds[-1] / seconds[0] if name == "repeat" else per_layer[-1] / per_layer[-2]
            cells = [f"{1000 * s:.1f} ({us:.1f})" for s, us in zip(seconds, per_layer, strict=True)]
            rows.append((f"{name}: {stage}", *cells, f"{growth:.2f}"))
    head = ("CPU ms (us per layer)", *(f"{size:,}" for size in SIZES), "growth")
    title = (
        "Scaling: `print` is PyTorch. Growth is the cost per layer at 10,000 against that at 1,000, linear\n"
        f"up to about {GROWTH_TARGET:g}; for `repeat`, all the work at 10,000 against that at 100, ideally 1"
    )
    print(table(title, head, rows))


if __name__ == "__main__":
    main()
