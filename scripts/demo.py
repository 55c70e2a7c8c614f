"""The whole road on one spec: look, train, export, run, verify. Each step is a command that you can type.

``make demo`` sets up and runs this. It needs no network and takes about a minute on two cores.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

SPEC = "specs/survey/cnn.dls"
DLSPEC = (sys.executable, "-m", "dlspec")

# title, arguments of `dlspec`; {out} is the folder of results
STEPS = (
    ("The network, checked before any framework is imported", "summary {spec}"),
    ("As PyTorch that a person could have written", "compile {spec} --to torch --out {out}/torch --force"),
    ("As Keras", "compile {spec} --to keras --out {out}/keras --force"),
    ("As ONNX text", "compile {spec} --to onnx --out {out}/onnx --force"),
    (
        "Trained on 1,797 real handwritten digits, in PyTorch",
        "train {spec} --backend torch --out {out}/run --force",
    ),
    (
        "Exported to one ONNX file, with the preprocessing inside",
        "export {spec} --weights {weights} --out {out}/cnn.onnx --force",
    ),
    ("On the test split, in PyTorch", "evaluate {spec} --weights {weights} --backend torch"),
    ("On the test split, in ONNX Runtime", "evaluate {spec} --weights {weights} --backend onnx"),
    ("The same numbers in PyTorch, Keras and ONNX", "verify {spec} --train-steps 20"),
)

CLOSING = """
All of it is in {out}/:
  torch/model.py  keras/model.py  onnx/model.onnxtxt   the network, three times; none of it needs dlspec
  run/                                                  the trained weights and what was measured on the way
  cnn.onnx                                              what you would ship

What to type next:
  . .venv/bin/activate
  less {out}/torch/model.py
  dlspec train specs/survey/attention.dls --backend keras --out runs/attention
  dlspec verify specs/survey/rnn.dls --train-steps 20
  dlspec --help
"""


def run(title: str, arguments: list[str], number: int) -> None:
    """Show a step's command and run it, output and all; stop the demo where it fails."""
    print(f"\n[{number}/{len(STEPS)}] {title}\n$ dlspec {shlex.join(arguments)}", flush=True)
    result = subprocess.run([*DLSPEC, *arguments], check=False)
    if result.returncode:
        sys.exit(f"\nthe demo stopped: `dlspec {shlex.join(arguments)}` gave exit code {result.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", default="demo-results", help="folder of results (default: %(default)s)")
    out = parser.parse_args().out
    names = {"spec": SPEC, "out": out, "weights": f"{out}/run/weights.safetensors"}
    started = time.monotonic()
    print(f"{SPEC} says it all:\n")
    print("\n".join(f"    {line}".rstrip() for line in Path(SPEC).read_text(encoding="utf-8").splitlines()))
    for number, (title, command) in enumerate(STEPS, start=1):
        # split before filling in: a folder's name may have blanks
        run(title, [word.format(**names) for word in command.split()], number)
    print(f"\nDone in {time.monotonic() - started:.0f} s.{CLOSING.format(out=out)}")


if __name__ == "__main__":
    main()
