"""Prints every spec for every backend into tests/golden, or with ``--check`` compares with what is there.

The recorded files are what a user gets from ``dlspec compile``. A change called a refactor leaves them
byte for byte as they were; any other change shows its effect on them in its diff.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import shutil
import sys
import tempfile
from pathlib import Path

from dlspec.cli import cli

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
TEXT = {".py", ".onnxtxt", ".md", ".json", ".toml", ".txt"}  # models and weights are binary, and not recorded


def print_all(out: Path) -> None:
    """Compile each spec of specs/ for each backend into ``out/GROUP/SPEC/BACKEND``."""
    backends = ("torch", "keras", "onnx")
    for spec in sorted((ROOT / "specs").rglob("*.dls")):
        if spec.parent.name == "std":  # blocks without a model
            continue
        name = spec.relative_to(ROOT / "specs").with_suffix("")
        for backend in backends:
            with contextlib.redirect_stdout(io.StringIO()):
                arguments = [
                    "compile",
                    str(spec.relative_to(ROOT)),
                    "--to",
                    backend,
                    "--out",
                    str(out / name / backend),
                ]
                cli(arguments, standalone_mode=False)


def texts(folder: Path) -> dict[str, str]:
    """The text files under a folder, by relative path."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in TEXT)
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
    with tempfile.TemporaryDirectory() as folder:
        print_all(Path(folder))
        printed = texts(Path(folder))
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
