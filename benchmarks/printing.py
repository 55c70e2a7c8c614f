"""Printing 10,000 layers: the whole way from typed program to files, and how much of it Jinja takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jinja2

from benchmarks import stages
from benchmarks.specs import lines
from benchmarks.timing import cpu, table

LAYERS = 10_000
TARGET = 0.2  # CPU seconds in Jinja
BACKENDS = ("torch", "keras", "onnx")


class Layer:
    """What the yardstick's template reads: plain attributes of a slotted object."""

    __slots__ = ("args", "kind", "name")

    def __init__(self, index: int) -> None:
        self.name, self.kind, self.args = f"linear{index}", "nn.Linear", "8, 8"


def yardstick() -> float:
    """CPU seconds for as many lines by a template that only interpolates."""
    template = jinja2.Environment(autoescape=False).from_string(
        "{% for l in layers %}        self.{{ l.name }} = {{ l.kind }}({{ l.args }})\n{% endfor %}"
    )
    layers = [Layer(index) for index in range(LAYERS)]
    return cpu(lambda: template.render(layers=layers))


@contextmanager
def jinja_time() -> Iterator[list[float]]:
    """Collects the CPU seconds that the outermost calls of `Template.render` and `generate` take."""
    spent = [0.0]
    originals = {name: getattr(jinja2.Template, name) for name in ("render", "generate")}
    depth = 0

    def timed(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal depth
            started, depth = time.process_time(), depth + 1
            try:
                return original(*args, **kwargs)
            finally:
                depth -= 1
                spent[0] += time.process_time() - started if depth == 0 else 0.0

        return call

    for name, original in originals.items():
        setattr(jinja2.Template, name, timed(original))
    try:
        yield spent
    finally:
        for name, original in originals.items():
            setattr(jinja2.Template, name, original)


def main() -> None:
    program = stages.check(stages.parse(lines(LAYERS)))
    rows = [("a bare template, as many lines", "", f"{yardstick():.3f}", "")]
    for backend in BACKENDS:
        total = cpu(lambda backend=backend: stages.emit(program, backend), runs=2)
        with jinja_time() as spent:
            stages.emit(program, backend)
        rows.append((backend, f"{total:.2f}", f"{spent[0]:.3f}", f"{1e6 * total / LAYERS:.0f}"))
    title = f"Printing {LAYERS:,} layers: CPU seconds; Jinja's part should stay under {TARGET:g}"
    print(table(title, ("backend", "all", "in Jinja", "us per layer"), rows))


if __name__ == "__main__":
    main()
