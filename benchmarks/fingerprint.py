"""Whether what was measured is still what is printed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program


def fingerprint(
    program: Program, trainings: Iterable[str], backends: Iterable[str], beside: Iterable[object] = ()
) -> str:
    """What tells whether the code of some trainings on some frameworks is another, or what it is run with."""
    found = sha256("\n".join(map(str, beside)).encode())
    wanted = list(backends)
    for training in trainings:
        for backend in wanted:
            for name, text in sorted(print_project(program, training, load_backend(backend)).items()):
                lines = (line for line in text.splitlines() if not line.startswith("Printed by dlspec"))
                found.update("\n".join((name, *lines)).encode())
    return found.hexdigest()[:16]
