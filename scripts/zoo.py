"""Every model of the zoo from end to end, the heavy ones too: ``make zoo``.

At full size: the counts are those of its facts, it is printed for PyTorch, Keras and ONNX without allocating weights,
and ONNX accepts the graph. On the small instance, where the facts have one: all backends compute the same. Prints a
table, and exits 1 if anything failed. A process a group, as TensorFlow does not give its memory back.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.project import print_model_files
from dlspec.summary import summarize
from dlspec.zoo import Entry, count, entries

PYTHON_BACKENDS = ("torch", "keras")
ERRORS = {"keras": ("outputs", "Keras"), "onnx": ("outputs", "ONNX"), "reference": ("outputs", "reference")}
TOLERANCE = 1e-5


def measure(entry: Entry) -> dict[str, Any]:
    """The row of a model: what it counts and how far the backends differ; what failed, under `failures`."""
    started = time.process_time()
    row: dict[str, Any] = {"spec": entry.spec, "model": entry.model, "failures": []}
    for step in (_counts, _printing, _graph, _numbers):
        try:
            row["failures"] += step(entry, row)
        except Exception as error:  # one model's trouble must not end the table
            row["failures"].append(
                f"{step.__name__[1:]}: {type(error).__name__}: {' '.join(str(error).split())}"
            )
    row["seconds"] = round(time.process_time() - started, 1)
    return row


def _counts(entry: Entry, row: dict[str, Any]) -> list[str]:
    summary = summarize(load_program(entry.path), entry.model)
    macs = summary.macs if isinstance(summary.macs, int) else str(summary.macs)
    row |= {"parameters": summary.parameters, "state": summary.state, "macs": macs}
    row["lines"] = _lines(entry.path.read_text("utf-8"))
    failures = entry.fact.differences(summary)
    for size in entry.fact.sizes:
        found = summarize(load_program(entry.path, size.set), entry.model)
        failures += [f"{size.name}: {difference}" for difference in size.differences(found)]
    return failures


def _printing(entry: Entry, row: dict[str, Any]) -> list[str]:
    program = load_program(entry.path)
    row["printed"] = {}
    for name in PYTHON_BACKENDS:
        text = print_model_files(program, entry.model, load_backend(name))["model.py"]
        compile(text, f"{entry.spec}/{name}/model.py", "exec")
        row["printed"][name] = _lines(text)
    return []


def _graph(entry: Entry, row: dict[str, Any]) -> list[str]:
    from dlspec.runtime.onnx import check_graph

    check_graph(print_onnx(load_program(entry.path), entry.model, load_backend("onnx")))
    return []


def _numbers(entry: Entry, row: dict[str, Any]) -> list[str]:
    from dlspec.runtime.verify import verify

    small = entry.fact.small
    row |= {"small": small.set, "tolerance": small.tolerance or TOLERANCE, "why": small.why}
    program = load_program(entry.path, small.set)
    report = verify(program, entry.model, backends=["torch", "keras", "onnx"], tolerance=small.tolerance)
    found = {(check.what.split()[0], check.right): check.error for check in report.checks}
    row["errors"] = {name: found.get(key) for name, key in ERRORS.items()}
    row["errors"]["gradients"] = max(
        (error for (what, _), error in found.items() if what == "gradients" and error is not None),
        default=None,
    )
    row["notes"] = report.notes
    failed = [
        f"{c.what}, {c.left} / {c.right}: {c.error:.1e} ({c.tensor})" for c in report.checks if not c.ok
    ]
    missing = [f"no {name} was compared" for name in ERRORS if row["errors"][name] is None]
    return failed + missing


def _lines(text: str) -> int:
    return len(text.splitlines())


# --- all of them --------------------------------------------------------------------------------------


def run(chosen: list[Entry]) -> Iterator[dict[str, Any]]:
    """The rows of all models, from one process a group."""
    for group in dict.fromkeys(entry.group for entry in chosen):
        names = [str(entry) for entry in chosen if entry.group == group]
        command = [sys.executable, __file__, "--worker", *names]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("{"):
                    row = json.loads(line)
                    names.remove(f"{row['spec']}:{row['model']}")
                    yield row
        for name in names:  # the process died
            spec, _, model = name.partition(":")
            failure = f"the process of its group ended with exit code {process.returncode}"
            yield {"spec": spec, "model": model, "failures": [failure], "seconds": 0}


def record(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows in the order of the zoo; rows of other models that are there already stay."""
    known = (
        {f"{row['spec']}:{row['model']}": row for row in json.loads(path.read_text())}
        if path.exists()
        else {}
    )
    known |= {f"{row['spec']}:{row['model']}": row for row in rows}
    kept = [known[str(entry)] for entry in entries() if str(entry) in known]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(map(json.dumps, kept)) + "\n]\n", encoding="utf-8")


# After the errors: lines of the printed code, and seconds of CPU.
HEAD = (
    "model",
    "lines",
    "parameters",
    "MACs",
    "Keras",
    "ONNX",
    "reference",
    "gradients",
    "torch",
    "keras",
    "s",
)
SHAPE = "{:40} {:>5} {:>17} {:>17} {:>9} {:>9} {:>9} {:>9} {:>5} {:>5} {:>6}"


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table as text."""
    errors, printed = row.get("errors", {}), row.get("printed", {})
    macs = row.get("macs", "")
    return [
        f"{row['spec']} {row['model']}",
        str(row.get("lines", "")),
        count(row["parameters"]) if "parameters" in row else "",
        f"{macs:,}" if isinstance(macs, int) else "symbolic",
        *(error_text(errors.get(name)) for name in (*ERRORS, "gradients")),
        *(str(printed.get(name, "")) for name in PYTHON_BACKENDS),
        str(row["seconds"]),
    ]


def error_text(error: float | None) -> str:
    """``2.4e-07``; a dash for what was not compared."""
    return "-" if error is None else f"{error:.1e}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="*", metavar="PATTERN", help="specs to run, such as 'vision/*'")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here; others stay")
    parser.add_argument("--worker", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        for entry in entries():
            if str(entry) in options.worker:
                print(json.dumps(measure(entry)), flush=True)
        return 0
    chosen = [entry for entry in entries() if fnmatch.fnmatch(str(entry), f"*{options.only}*")]
    print(SHAPE.format(*HEAD), flush=True)
    rows = []
    for row in run(chosen):
        rows.append(row)
        print(SHAPE.format(*cells(row)), flush=True)
        print("".join(f"    FAILED {failure}\n" for failure in row["failures"]), end="", flush=True)
    bad = sum(bool(row["failures"]) for row in rows)
    print(f"\n{len(rows)} models, {bad} of them failed, {sum(row['seconds'] for row in rows):.0f} s of CPU")
    if options.json:
        record(rows, options.json)
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
