"""Writes docs/gallery.md and its drawings: ``make gallery``.

Counts, lines and drawings are those of the specs as they are now. Only how far the backends differ, which takes
minutes to find out, is read from the record of ``make zoo``: after a change of the printer, this script alone will do.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from zoo import ERRORS, PYTHON_BACKENDS, counts, error_text, printing

from dlspec.draw import draw
from dlspec.elaborate.program import load_program
from dlspec.zoo import Entry, about, count, gallery, specs

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, DRAWINGS, RECORD = DOCS / "gallery.md", DOCS / "gallery", DOCS / "gallery" / "zoo.json"

INTRODUCTION = """# The gallery

Every network that comes with dlspec: {specs} specs with {models} models. `dlspec specs` lists them, and
`dlspec specs vision/resnet` prints one. Every command takes them by name, for example
`dlspec compile zoo:vision/resnet --model ResNet50 --to torch --out resnet`.

**Counts** are of the full size, and exact. **Lines** are those of the spec's file (blocks that specs share are in
[specs/std](../specs/std)), and of the model's module as printed for PyTorch and for Keras. **Errors** are the largest
difference of any output between PyTorch and Keras, ONNX Runtime and the reference in NumPy, and of any weight's
gradient between PyTorch and Keras, each over the largest magnitude of its tensor. Where the full size is too heavy they
are those of a *small* instance of the same spec. Gradients of deep networks are compared in f64, where those in f32 are
too coarse to tell: then the error is below 1e-8. A dash means that training draws random numbers, or that there is
nothing to train.

This page and its drawings (`dlspec draw`) are written by `make gallery`.
"""

HEAD = (
    "| spec | model | parameters | MACs | lines: spec → PyTorch, Keras | errors: Keras, ONNX, reference, gradients |\n"
    "| --- | --- | ---: | ---: | ---: | --- |\n"
)


def page(rows: dict[str, dict[str, Any]]) -> str:
    """The text of the page."""
    parts = [INTRODUCTION.format(specs=len({entry.spec for entry in gallery()}), models=len(gallery()))]
    groups = list(dict.fromkeys(entry.group for entry in gallery()))
    parts.append(" · ".join(f"[{group}](#{group})" for group in groups) + "\n")
    for group in groups:
        chosen = [entry for entry in gallery() if entry.group == group]
        parts.append(f"## {group}\n")
        parts.append(HEAD + "".join(_row(entry, rows[str(entry)]) for entry in chosen))
        for spec in dict.fromkeys(entry.spec for entry in chosen):
            parts += _section(spec, [entry for entry in chosen if entry.spec == spec], rows)
    return "\n".join(parts)


def _row(entry: Entry, row: dict[str, Any]) -> str:
    errors = ", ".join(error_text(row["errors"][name]) for name in (*ERRORS, "gradients"))
    printed = ", ".join(str(row["printed"][name]) for name in PYTHON_BACKENDS)
    anchor = entry.spec.replace("/", "")  # as GitHub makes it of the heading
    cells = (
        f"[{entry.spec.partition('/')[2]}](#{anchor})",
        entry.model,
        count(row["parameters"]),
        count(row["macs"]) if isinstance(row["macs"], int) else f"[symbolic](#{anchor})",
        f"{row['lines']} → {printed}",
        errors + (" (small)" if row["small"] else ""),
    )
    return f"| {' | '.join(cells)} |\n"


def _section(spec: str, chosen: list[Entry], rows: dict[str, dict[str, Any]]) -> list[str]:
    """What a spec is, the source of its numbers, its other sizes, and a drawing of each of its models."""
    parts = [f"### {spec}\n", f"{about(specs()[spec])} [The spec](../specs/{spec}.dls).\n"]
    facts = [line for entry in chosen for line in _facts(entry, rows[str(entry)])]
    parts.append("\n".join(facts) + "\n")
    for number, entry in enumerate(chosen):
        picture = f"![{entry.model}](gallery/{drawing(entry)})"
        hidden = f"<details><summary>{entry.model}</summary>\n\n{picture}\n\n</details>"
        parts.append((hidden if number else picture) + "\n")
    return parts


def _facts(entry: Entry, row: dict[str, Any]) -> list[str]:
    lines = [f"- **{entry.model}**: {count(row['parameters'])} parameters; {entry.fact.source}"]
    if not isinstance(row["macs"], int):
        lines.append(f"  - multiply-accumulates: {row['macs']}")
    lines += [
        f"  - {size.name}: {count(size.parameters)} parameters; {size.source}" for size in entry.fact.sizes
    ]
    if entry.fact.small.tolerance is not None:
        lines.append(f"  - compared within {entry.fact.small.tolerance:g}: {entry.fact.small.why}")
    return lines


def drawing(entry: Entry) -> str:
    """The name of the file of a model's drawing."""
    return f"{entry.spec.replace('/', '-')}-{entry.model}.svg"


def main() -> int:
    rows = {f"{row['spec']}:{row['model']}": row for row in json.loads(RECORD.read_text("utf-8"))}
    missing = [str(entry) for entry in gallery() if not rows.get(str(entry), {}).get("errors")]
    if missing:
        print(f"no record of {', '.join(missing)}: run `make gallery`", file=sys.stderr)
        return 1
    for entry in gallery():
        failures = [*counts(entry, rows[str(entry)]), *printing(entry, rows[str(entry)])]
        if failures:
            print(f"{entry}: {'; '.join(failures)}", file=sys.stderr)
            return 1
    PAGE.write_text(page(rows), encoding="utf-8")
    pictures = {drawing(entry): draw(load_program(entry.path), entry.model) for entry in gallery()}
    for old in DRAWINGS.glob("*.svg"):
        if old.name not in pictures:
            old.unlink()
    for name, picture in pictures.items():
        (DRAWINGS / name).write_text(picture, encoding="utf-8")
    print(f"{PAGE.relative_to(DOCS.parent)}: {len(specs())} specs, {len(pictures)} drawings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
