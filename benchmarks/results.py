"""Trains what `specs/training/results*.toml` lists, by `dlspec train`, and holds the results to their limits.

``python -m benchmarks.results [NAME...] [--backend torch|keras|both] [--record] [--changed]``. A name may be a
pattern, such as ``'vae*'``. Exits 1 where a limit is missed or a training fails. ``--record`` keeps the results, one
file each, in `docs/results/`, and writes `docs/results.md` from all that is kept there, each as soon as it is known;
several may run at once. ``--changed`` leaves out what was recorded with the code that is printed now.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.expected import Expected, expectations, spec_of
from benchmarks.fingerprint import fingerprint
from benchmarks.recorded import DOCS, kept, lock, markdown, write, write_json
from benchmarks.timing import ENVIRONMENT, table
from dlspec.api import load

HEAD = ("result", "backend", "figure", "value", "limit", "reached", "seconds")
PAGE_HEAD = ("result", "spec", "framework", "figure", "value", "limit", "baseline", "seconds")
ABOUT = """# Results

What the training specs reach on held-out data, as `make results` last recorded it. Each row was run by `dlspec train`;
a value is the mean over the seeds. Where the limits come from is said in `specs/training/results*.toml`; seconds are
wall-clock of one run, start-up included, on a shared machine. Run one again: `python -m benchmarks.results NAME`.
"""


def train(name: str, expected: Expected, backend: str, seed: int) -> float:
    """The figure that one run comes to. RuntimeError, with what was said, where it fails."""
    split, _, metric = expected.figure.partition(".")
    with tempfile.TemporaryDirectory(prefix="dlspec-results-") as folder:
        command = [
            sys.executable,
            "-m",
            "dlspec",
            "train",
            f"zoo:{spec_of(name, expected)}",
            "--backend",
            backend,
        ]
        command += ["--seed", str(seed), "--out", f"{folder}/run", "--json", *expected.options]
        command += ["--name", expected.training] if expected.training else []
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip()[-2000:])
    results = json.loads(done.stdout)["results"]
    try:
        return float(results[split][metric])
    except KeyError:
        raise RuntimeError(f"there is no {expected.figure} among {results}") from None


def printed(name: str, expected: Expected, backend: str) -> str:
    """What tells whether another training is run, or with other words of the command line."""
    program = load(f"zoo:{spec_of(name, expected)}").program
    trainings = [expected.training] if expected.training else list(program.trainings)
    return fingerprint(program, trainings, [backend], [*expected.options, *expected.seeds])


def measure(name: str, expected: Expected, backend: str) -> dict[str, Any]:
    """The row of a result on one framework; `failure` says what went wrong, if anything."""
    started = time.monotonic()
    row: dict[str, Any] = {
        "figure": expected.figure, "limit": expected.limit, "seeds": [*expected.seeds],
        "printed": printed(name, expected, backend),
    }  # fmt: skip
    try:
        values = [train(name, expected, backend, seed) for seed in expected.seeds]
    except RuntimeError as error:
        return {**row, "value": None, "reached": False, "failure": str(error)}
    value = statistics.fmean(values)
    seconds = round((time.monotonic() - started) / len(values), 1)
    row |= {"value": float(f"{value:.5g}"), "each": [float(f"{v:.5g}") for v in values]}
    return row | {"reached": expected.reached(value), "seconds": seconds, "version": version(backend)}


def _cells(name: str, backend: str, row: dict[str, Any]) -> tuple[str, ...]:
    value = "failed" if row["value"] is None else f"{row['value']:.4g}"
    reached = "yes" if row["reached"] else "NO"
    return name, backend, row["figure"], value, row["limit"], reached, str(row.get("seconds", ""))


def chosen(patterns: Sequence[str]) -> dict[str, Expected]:
    """The results that the patterns name; all where there is none. SystemExit where one names nothing."""
    known = expectations()
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            sys.exit(f"no result is called `{pattern}`; there are {', '.join(known)}")
    return {n: e for n, e in known.items() if not patterns or any(fnmatch.fnmatch(n, p) for p in patterns)}


def keep(name: str, expected: Expected, rows: dict[str, dict[str, Any]]) -> None:
    """Write a result into its file; what another framework reached before stays."""
    path = DOCS / "results" / f"{name}.json"
    before = kept(path).get("backends", {})
    baseline = expected.baseline and expected.baseline.model_dump()
    text = {"spec": spec_of(name, expected), "note": expected.note, "why_not": expected.why_not}
    merged = {
        backend: row for backend, row in sorted({**before, **rows}.items()) if backend in expected.backends
    }
    write_json(path, {**text, "baseline": baseline, "backends": merged})


def record(name: str, expected: Expected, rows: dict[str, dict[str, Any]]) -> None:
    """Keep a result, in a file of its own, and write the page anew."""
    (DOCS / "results").mkdir(exist_ok=True)
    with lock(DOCS / "results.md"):
        keep(name, expected, rows)
        write(DOCS / "results.md", page())


def page() -> str:
    """The text of `docs/results.md`, from the recorded files."""
    rows = [row for path in sorted((DOCS / "results").glob("*.json")) for row in _page_rows(path)]
    missing = sorted(_all_rows() - {(row[0], row[2]) for row in rows})
    left = (
        f"\nNot recorded: {', '.join(f'{name} ({backend})' for name, backend in missing)}.\n"
        if missing
        else ""
    )
    return ABOUT + "\n" + markdown(PAGE_HEAD, rows) + left


def _all_rows() -> set[tuple[str, str]]:
    return {(name, backend) for name, expected in expectations().items() for backend in expected.backends}


def _page_rows(path: Path) -> Iterator[tuple[str, ...]]:
    result = kept(path)
    baseline = result["baseline"]
    beside = f"{baseline['value']:g}: {baseline['what']}" if baseline else ""
    link = f"[{result['spec']}](../specs/{result['spec']}.dls)"
    for backend, row in result["backends"].items():
        _, _, figure, value, limit, reached, seconds = _cells(path.stem, backend, row)
        shown = value if reached == "yes" else f"**{value}**, missed"
        shown += f" ({seeds} seeds)" if (seeds := len(row.get("seeds", ()))) > 1 else ""
        yield path.stem, link, backend, figure, shown, limit, beside, seconds


def main() -> int:
    """The command line; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which results; patterns are welcome [all]")
    parser.add_argument("--backend", choices=["torch", "keras", "both"], default="both")
    parser.add_argument(
        "--record", action="store_true", help="keep the results in docs/results/ and write the page"
    )
    parser.add_argument(
        "--changed", action="store_true", help="only what was printed otherwise when recorded"
    )
    parser.add_argument("--page", action="store_true", help="only write the page from what is kept")
    options = parser.parse_args()
    cells, fine = [], True
    for name, expected in {} if options.page else chosen(options.names).items():
        wanted = [b for b in expected.backends if options.backend in (b, "both")]
        known = kept(DOCS / "results" / f"{name}.json").get("backends", {})
        for backend in wanted:
            if options.changed and known.get(backend, {}).get("printed") == printed(name, expected, backend):
                continue
            row = measure(name, expected, backend)
            cells.append(_cells(name, backend, row))
            print("  ".join(cells[-1]), file=sys.stderr, flush=True)
            if row.get("failure"):
                print(row.pop("failure"), file=sys.stderr, flush=True)
            fine = fine and row["reached"]
            if options.record:
                record(name, expected, {backend: row})
    if cells:
        print(table("Results of training", HEAD, cells))
    if options.page:
        write(DOCS / "results.md", page())
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
