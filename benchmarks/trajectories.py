"""Is it the same trajectory? Every training of the specs, PyTorch against Keras after 20 steps.

``python -m benchmarks.trajectories [SPEC...] [--steps N] [--record] [--changed]``. A SPEC is a name under `specs/`,
such as `training/gan`; a pattern is welcome. Both frameworks begin from the same weights and have the same batches,
dropout masks and draws; beside their difference stands the chaos floor, PyTorch against itself from weights disturbed
by 1e-7. Exits 1 where a training differs by more than the limits. ``--record`` keeps the figures in
`docs/trajectories.json` and writes `docs/trajectories.md`; with ``--changed`` only of trainings whose printed code is
another than when it was last recorded.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from benchmarks.fingerprint import fingerprint
from benchmarks.recorded import DOCS, kept, markdown, update
from benchmarks.timing import table
from dlspec._data import data_path
from dlspec.api import load
from dlspec.ir.graph import Program

GROUPS = ("survey", "training")
LIMITS = {"f32": 1e-4, "f64": 1e-9}
"""The largest difference of a weight, by precision, relative to the largest weight of its tensor."""
HEAD = ("training", "f32", "f64", "chaos floor f32", "holds", "worst tensor")
KEPT = DOCS / "trajectories.json"
ABOUT = """# Trajectories

PyTorch and Keras after 20 steps from the same weights, with the same batches, dropout masks and draws: the largest
difference of any weight, relative to the largest one of its tensor, as `make trajectories` last recorded it. Weights
whose true gradient is zero are left out, as Adam and its like move them by roundings. The chaos floor is PyTorch
against itself from weights disturbed by 1e-7, the largest of four runs: where it is large, training magnifies
roundings, and f64 tells. A training holds within 1e-4 in f32 and 1e-9 in f64; where it does so in f64 only, this is
said. Run one again: `python -m benchmarks.trajectories training/gan`.

What f32 magnifies are gradients near zero. Adam divides a gradient by its size, so that in the first steps each number
of a weight moves by the whole rate, in a direction that roundings decide where its gradient is no more than these. With
`eps = 1e-5` such a gradient moves little, and most trainings write that: from 2e-2 in `wgan_gp`, where a bias of the
critic has a true gradient of zero at first, it went to 1e-6. What it does not cure are kinks: a unit of a `relu` is on
or off by a rounding. With `gelu`, which has none, and that `eps`, `simclr` and the language models went from 1e-1 and
1e-2 to 1e-5.
TensorFlow's gradients of biases over thousands of rows are up to 14 times farther from f64 than PyTorch's, those of
matrices equally far. It computes CTC and gelu by constants of f32 whatever it is told: in f64 both are decomposed.
"""


def chosen(patterns: Sequence[str]) -> list[str]:
    """The specs with trainings that the patterns name; all where there is none. SystemExit where one names nothing."""
    known = [
        f"{group}/{file.name.removesuffix('.dls')}"
        for group in GROUPS
        for file in sorted((data_path("specs") / group).iterdir(), key=lambda file: file.name)
        if file.name.endswith(".dls")
    ]
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            sys.exit(f"no spec is called `{pattern}`; there are {', '.join(known)}")
    return [name for name in known if not patterns or any(fnmatch.fnmatch(name, p) for p in patterns)]


def measure(program: Program, training: str, steps: int) -> dict[str, Any]:
    """The row of a training; `why_not` says why there is none."""
    from dlspec.runtime.verify.trajectory import Trajectories, has_batches

    if not has_batches(program, program.trainings[training]):
        return {"why_not": "its data is not on every machine"}
    try:
        runs = Trajectories(program, training, steps)
        single, double = runs.compare(), runs.compare(double=True, floor=False)
    except Exception as error:  # one training that fails is a row, not the end
        return {"why_not": f"{type(error).__name__}: {error}".partition("\n")[0]}
    return {
        "f32": float(f"{single.error:.2g}"),
        "f64": float(f"{double.error:.2g}"),
        "chaos": float(f"{single.chaos:.2g}"),
        "tensor": single.tensor,
    }


def holds(row: dict[str, Any]) -> bool:
    """Whether a row is within the limits in f64, which tells a wrong formula from rounding."""
    return "why_not" not in row and bool(row["f64"] <= LIMITS["f64"])


def _cells(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    if "why_not" in row:
        return name, "-", "-", "-", "not run", row["why_not"]
    verdict = "yes" if row["f32"] <= LIMITS["f32"] else "in f64"
    if not holds(row):
        verdict = "NO"
    return name, *(f"{row[key]:.1e}" for key in ("f32", "f64", "chaos")), verdict, row["tensor"]


def trainings(specs: Sequence[str]) -> Iterator[tuple[str, Program, str]]:
    """Each training of the specs: the name of its row, the program, its name there."""
    for spec in specs:
        program = load(f"zoo:{spec}").program
        for training in program.trainings:
            yield spec if len(program.trainings) == 1 else f"{spec}: {training}", program, training


def rows(
    specs: Sequence[str], steps: int, known: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row for each training of the specs, but those whose printed code is that of a `known` row."""
    for name, program, training in trainings(specs):
        printed = fingerprint(program, [training], ["torch", "keras"], [steps])
        before = known.get(name, {})
        if before.get("printed") != printed or "why_not" in before:
            yield name, {**measure(program, training, steps), "printed": printed}


def page(rows: Mapping[str, Any]) -> str:
    """The text of `docs/trajectories.md`."""
    return ABOUT + "\n" + markdown(HEAD, (_cells(*item) for item in rows.items()))


def main() -> int:
    """The command line; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="which specs; patterns are welcome [all]")
    parser.add_argument("--steps", type=int, default=20, help="how many updates [20]")
    parser.add_argument(
        "--record", action="store_true", help="keep the figures and write docs/trajectories.md"
    )
    parser.add_argument(
        "--changed", action="store_true", help="only what was printed otherwise when recorded"
    )
    parser.add_argument("--page", action="store_true", help="only write the page from what is kept")
    options = parser.parse_args()
    if options.page:
        update(KEPT, {}, page)
        return 0
    cells, fine = [], True
    for name, row in rows(chosen(options.specs), options.steps, kept(KEPT) if options.changed else {}):
        cells.append(_cells(name, row))
        print("  ".join(cells[-1]), file=sys.stderr, flush=True)
        fine = fine and (holds(row) or "why_not" in row)
        if options.record:
            update(KEPT, {name: row}, page)
    print(table(f"Trajectories of {options.steps} steps", HEAD, cells))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
