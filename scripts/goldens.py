"""Prints the specs for every backend into tests/golden, or with ``--check`` compares with what is there.

The recorded files are what a user gets from ``dlspec compile``. A change called a refactor leaves them
byte for byte as they were; any other change shows its effect on them in its diff. Of the survey's specs and of the
training specs all files are recorded. Of the rest of the zoo, so that the repository stays small, each model's module
for PyTorch and Keras, and the ONNX text of a few.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.zoo import specs

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
BACKENDS = ("torch", "keras", "onnx")
WHOLE = {"survey": BACKENDS, "training": ("torch", "keras")}  # groups of which all files are recorded
# Models outside of it whose ONNX text is recorded: shared weights, randomness, transposed convolutions, many inputs.
AS_ONNX = {
    "foundations/autoencoder:Autoencoder",
    "foundations/dbn:DBN",
    "generative/dcgan:Generator",
    "generative/vae:VAE",
    "recommendation/deepfm:DeepFM",
}


def print_all() -> dict[str, str]:
    """The recorded files of every spec by path: ``GROUP/SPEC/BACKEND/model.py``, or ``.../MODEL.py`` in the zoo."""
    os.chdir(ROOT)  # a printed file names its spec as one would at the root of the checkout
    files: dict[str, str] = {}
    for name, path in specs().items():
        program = load_program(path.relative_to(ROOT))
        whole = WHOLE.get(name.partition("/")[0])
        files |= _whole(name, program, whole) if whole else _models(name, program)
    return files


def _whole(name: str, program: Program, backends: tuple[str, ...]) -> dict[str, str]:
    """All files of the only training or of each model of a spec."""
    targets = [*program.trainings] or [*program.models]
    return {
        f"{name}/{backend}/{f'{target}/' if len(targets) > 1 else ''}{file}": text
        for target in targets
        for backend in backends
        for file, text in print_project(program, target, load_backend(backend)).items()
    }


def _models(name: str, program: Program) -> dict[str, str]:
    return {
        f"{name}/{place}": text for model in program.models for place, text in _model(name, program, model)
    }


def _model(name: str, program: Program, model: str) -> Iterator[tuple[str, str]]:
    for backend in BACKENDS:
        if backend != "onnx" or f"{name}:{model}" in AS_ONNX:
            files = print_project(program, model, load_backend(backend))
            main = next(file for file in files if file.startswith("model."))
            yield f"{backend}/{model}{Path(main).suffix}", files[main]


def texts(folder: Path) -> dict[str, str]:
    """The files under a folder, by relative path."""
    hidden = (".ruff_cache", "__pycache__")
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and not set(hidden) & set(p.parts))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def differences(recorded: dict[str, str], printed: dict[str, str]) -> list[str]:
    """One unified diff for each file that is new, gone or changed."""
    diffs = []
    for name in sorted(recorded.keys() | printed.keys()):
        before, after = (files.get(name, "").splitlines() for files in (recorded, printed))
        if (name in recorded) != (name in printed) or before != after:
            diffs.append(
                "\n".join(
                    difflib.unified_diff(before, after, f"recorded/{name}", f"printed/{name}", lineterm="")
                )
            )
    return diffs


def record(printed: dict[str, str]) -> None:
    """Replace tests/golden."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for name, text in printed.items():
        path = GOLDEN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 where something differs")
    check = parser.parse_args().check
    printed = print_all()
    diffs = differences(texts(GOLDEN), printed)
    print(f"{len(printed)} files printed, {len(diffs)} differ from tests/golden")
    if not printed:
        print("no spec or no backend was found", file=sys.stderr)
        return 1
    if not check:
        record(printed)
        return 0
    print("\n".join("\n".join(diff.splitlines()[:60]) for diff in diffs))
    if diffs:
        print("if the change is meant: make goldens, and read the diff", file=sys.stderr)
    return 1 if diffs else 0


if __name__ == "__main__":
    sys.exit(main())
