"""The zoo: checks of large models against that of a small one, all of it compiled, and cost against depth."""

from __future__ import annotations

import sys
from functools import partial

from benchmarks.startup import DLSPEC, FORBIDDEN
from benchmarks.timing import cpu, paired, process_cost, table
from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.emit.python import print_model
from dlspec.zoo import entries, shipped

SMALL = "zoo:survey/cnn"
RATIO_TARGET = 1.5  # `check` of a large model against that of the small one
LARGE = ("vision/resnet", "language/gpt2")
HUGE = ("language/llama", {"Llama.width": 8192, "Llama.depth": 80, "Llama.heads": 64, "Llama.hidden": 28672})
HUGE_TARGETS = (1.0, 150)  # CPU seconds, MB
COMPILE_TARGET = 60.0  # CPU seconds of all models to all backends
BACKENDS = ("torch", "keras", "onnx")

# A model, the setting that makes it deeper, its values, and how many layers these are.
DEEPER: tuple[tuple[str, str, str, tuple[tuple[int, str], ...]], ...] = (
    ("language/gpt2", "GPT2", "depth", ((12, "12"), (96, "96"), (768, "768"))),
    ("vision/resnet", "ResNet50", "depths", ((16, "[3,4,6,3]"), (160, "[30,40,60,30]"), (1600, "[300,400,600,300]"))),
    ("language/gpt2", "GPT2Step", "depth", ((12, "12"), (96, "96"), (384, "384"))),
    ("vision/densenet", "DenseNet121", "depths", ((58, "[6,12,24,16]"), (232, "[24,48,96,64]"),
                                                  (464, "[48,96,192,128]"))),
)  # fmt: skip


def compile_all() -> int:
    """Every model to every backend, in this process; 1 if that imported a framework."""
    for entry in entries():
        program = load_program(entry.path)
        for backend in BACKENDS:
            print_project(program, entry.model, load_backend(backend))
    found = sorted({name.partition(".")[0] for name in sys.modules} & set(FORBIDDEN))
    if found:
        print(f"compiling imported {', '.join(found)}", file=sys.stderr)
    return 1 if found else 0


def _checks() -> list[tuple[str, ...]]:
    rows = []
    for spec in LARGE:
        times = paired([*DLSPEC, "check", f"zoo:{spec}"], [*DLSPEC, "check", SMALL])
        rows.append(
            (f"check {spec}", f"{times.left:.2f}", f"{times.ratio:.2f}", "", f"{RATIO_TARGET:g} x {SMALL}")
        )
    spec, settings = HUGE
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    seconds, peak = process_cost([*DLSPEC, "check", f"zoo:{spec}", *words])
    limits = f"{HUGE_TARGETS[0]:g} s, {HUGE_TARGETS[1]} MB"
    rows.append((f"check {spec}, 70B", f"{seconds:.2f}", "", f"{peak / 1e6:.0f}", limits))
    seconds, peak = process_cost([sys.executable, "-m", "benchmarks.zoo", "--compile"])
    what = f"compile all {len(entries())} models, {len(BACKENDS)} backends, no framework"
    rows.append((what, f"{seconds:.2f}", "", f"{peak / 1e6:.0f}", f"{COMPILE_TARGET:g} s"))
    return rows


def _growth() -> list[tuple[str, ...]]:
    rows = []
    for spec, model, parameter, sizes in DEEPER:
        cells = []
        for layers, value in sizes:
            seconds = cpu(partial(_check_and_print, spec, model, f"{model}.{parameter}={value}"))
            cells.append(f"{layers}: {1000 * seconds:.0f} ({1e6 * seconds / layers:.0f})")
        rows.append((f"{model}.{parameter}", *cells))
    return rows


def _check_and_print(spec: str, model: str, setting: str) -> str:
    name, _, value = setting.partition("=")
    return print_model(load_program(shipped(spec), {name: value}), model, load_backend("torch"))


def main() -> None:
    print(table("The zoo", ("work", "CPU s", "ratio", "peak MB", "at most"), _checks()))
    title = (
        "Depth: layers: CPU ms to check and print for PyTorch (us per layer). The first two repeat their layers, so\n"
        "that all the work should stay the same; the last two write them out, so that the cost per layer should"
    )
    print(table(title, ("model", "small", "larger", "largest"), _growth()))


if __name__ == "__main__":
    sys.exit(compile_all() if "--compile" in sys.argv else main())
