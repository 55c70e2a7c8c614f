"""Every pair of settings of a training, checked, and run in as few trainings as hold all that are accepted.

``python -m benchmarks.combinations [FACTOR=LEVEL...]``: one combination, or the campaign. Each pair is either refused
by a coded error when the spec is checked, or both frameworks come to the same weights and figures in f64, and a run
that is stopped at a checkpoint goes on to the same bits. Exits 1 where that is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from benchmarks.combinations.covering import Pair, covering, pairs
from benchmarks.combinations.page import write
from benchmarks.combinations.running import faults, refused, timed_faults
from benchmarks.combinations.spec import factors, first, spec


def main() -> int:
    """The command line; 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("levels", nargs="*", metavar="FACTOR=LEVEL", help="one combination [all pairs]")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of combinations")
    parser.add_argument("--most", type=int, default=1000, help="trainings at most")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--slow", action="store_true", help="those that take long to compile, too")
    parser.add_argument("--checked", type=Path, help="a file that keeps what checking said of each pair")
    parser.add_argument(
        "--page", action="store_true", help="check all pairs and write docs/combinations.md, run none"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
        if options.levels:
            return _one(dict(each.split("=") for each in options.levels), Path(folder))
        return _campaign(options, Path(folder))


def _one(levels: dict[str, str], folder: Path) -> int:
    print(spec(levels))
    if told := refused(levels, folder):
        print(told)
        return int(told.startswith("CRASH"))
    found = faults(levels, folder / "run")
    print("\n".join(found) or "fine")
    return int(bool(found))


def checked(folder: Path, keep: Path | None) -> dict[Pair, str]:
    """What checking says of each pair."""
    known = json.loads(keep.read_text()) if keep and keep.exists() else {}
    found = {}
    for pair in pairs(factors()):
        name = " ".join("=".join(level) for level in sorted(pair))
        if name not in known:
            known[name] = refused(dict(pair), folder)
        found[pair] = known[name]
    if keep:
        keep.write_text(json.dumps(known, indent=1) + "\n")
    return found


def _campaign(options: argparse.Namespace, folder: Path) -> int:
    told = checked(folder, options.checked)
    if options.page:
        write(told)
        return 0
    crashed = [f"{_named(dict(pair))}: {said}" for pair, said in told.items() if said.startswith("CRASH")]
    print("\n".join(crashed), f"{len(told)} pairs, {sum(map(bool, told.values()))} refused", flush=True)
    wanted = {pair for pair, said in told.items() if not said}
    if not options.slow:
        wanted = {pair for pair in wanted if not any(factors()[f][level].get("slow") for f, level in pair)}
    broken = len(crashed)

    def fine(levels: Mapping[str, str]) -> bool:
        return not refused(levels, folder)

    chosen = list(islice(covering(factors(), wanted, fine, options.seed), options.most))
    jobs = [(levels, folder / str(number)) for number, levels in enumerate(chosen)]
    with get_context("spawn").Pool(options.jobs, maxtasksperchild=16) as pool:  # TensorFlow keeps every graph
        for count, (found, seconds) in enumerate(pool.imap(timed_faults, jobs), 1):
            print(f"{count} of {len(chosen)}: {_named(chosen[count - 1])}  {seconds:.0f} s", flush=True)
            for each in found:
                print("  FAULT " + each.replace("\n", "\n    "), flush=True)
            broken += bool(found)
    print(f"{len(chosen)} trainings, {broken} faults")
    return int(broken > 0)


def _named(levels: Mapping[str, str]) -> str:
    """A combination as it is written on the command line, without what is first anyway."""
    return " ".join(f"{factor}={level}" for factor, level in sorted(levels.items()) if level != first(factor))


if __name__ == "__main__":
    sys.exit(main())
