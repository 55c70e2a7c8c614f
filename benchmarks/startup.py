"""How quickly a command answers: whole processes against the bare import of what they are built on."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.timing import paired, table

SPEC = "specs/survey/cnn.dls"
DLSPEC = (sys.executable, "-m", "dlspec")
BASE = (sys.executable, "-c", "import lark, pydantic, jinja2")
TARGET = 3.0  # `dlspec check`, against BASE
COMMANDS = (
    "check {spec}",
    "summary {spec}",
    "ir {spec} --json",
    "compile {spec} --to torch --out {out} --force",
    "compile {spec} --to keras --out {out} --force",
    "compile {spec} --to onnx --out {out} --force",
)
FORBIDDEN = ("torch", "tensorflow", "keras", "onnxruntime")
NOTED = ("numpy", "onnx", "rich", "safetensors", "sklearn")  # allowed, but each costs 50 ms and more


def imported(words: list[str]) -> set[str]:
    """The top-level modules that a command of dlspec imports."""
    python, *module = DLSPEC
    command = [python, "-X", "importtime", *module, *words]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def main(out: str = "/tmp/dlspec-benchmark") -> None:
    rows = []
    for command in COMMANDS:
        words = command.format(spec=SPEC, out=out).split()
        times = paired([*DLSPEC, *words], BASE)
        modules = imported(words)
        rows.append(
            (
                f"dlspec {command.format(spec='cnn.dls', out='OUT')}",
                f"{1000 * times.left:.0f}",
                f"{times.ratio:.2f}",
                " ".join(name for name in NOTED if name in modules) or "-",
                " ".join(name for name in FORBIDDEN if name in modules) or "none",
            )
        )
        base = f"{1000 * times.right:.0f}"
    rows.append(('python -c "import lark, pydantic, jinja2"', base, "1.00", "", ""))
    title = f"Start-up: CPU ms of whole processes; `check` should take at most {TARGET:g} times the last row"
    print(table(title, ("command", "CPU ms", "ratio", "also imports", "frameworks"), rows))


if __name__ == "__main__":
    main()
