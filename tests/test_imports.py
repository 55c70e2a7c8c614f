"""What may import what: no framework before something runs, and no room imports from one to its right."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dlspec
from dlspec._data import data_path

FRAMEWORKS = {"torch", "tensorflow", "keras", "onnxruntime"}
# Quick answers need none of these either (an import of numpy alone costs more than the whole check).
SLOW = FRAMEWORKS | {"numpy", "onnx", "rich", "safetensors", "sklearn"}

PACKAGE = Path(dlspec.__file__).parent
# From left to right; rooms of one entry may use each other. Modules directly in dlspec/ are rooms too.
ROOMS = (
    {"_data", "_collector"},
    {"syntax", "diagnostics"},
    {"ir"},
    {"ops"},
    {"elaborate"},
    {"passes", "summary"},
    {"zoo", "draw"},
    {"weights"},
    {"emit"},
    {"runtime"},
    {"__init__", "api"},
    {"cli", "__main__"},
)
# Imports to the right, allowed inside functions or for type annotations only.
EXCEPTIONS = {
    ("ir", "ops"),  # the builder and the reader of JSON look an operator up by its name
    ("passes", "emit"),  # lowering is handed the manifest that says what a backend can print
}

RUN = """
import sys
try:
    from dlspec.cli import main
    sys.argv[0] = "dlspec"
    main()
except SystemExit as exit:
    assert not exit.code, exit.code
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported_by(*command: str) -> set[str]:
    """The top-level modules that a process has imported when it ends."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return {name.partition(".")[0] for name in result.stderr.splitlines()[-1].split()}


def test_importing_dlspec_is_light():
    program = "import sys, dlspec; print(*sys.modules, file=sys.stderr)"
    assert not imported_by(sys.executable, "-c", program) & SLOW


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [
        ("check SPEC", SLOW),
        ("summary SPEC --json", SLOW),
        ("summary SPEC", FRAMEWORKS),
        ("ir SPEC --json", SLOW),
        ("explain DLS0302", FRAMEWORKS),
        ("specs --json", SLOW),
        ("draw SPEC --out OUT/net.svg", SLOW),
        ("compile SPEC --to torch --out OUT", FRAMEWORKS),
        ("compile SPEC --to keras --out OUT", FRAMEWORKS),
        ("compile SPEC --to onnx --out OUT", FRAMEWORKS),
        ("export SPEC --out OUT/model.onnx", FRAMEWORKS),
    ],
)
def test_commands_that_run_no_model_import_no_framework(command: str, unwanted: set[str], tmp_path: Path):
    places = {"SPEC": str(data_path("specs") / "survey" / "cnn.dls"), "OUT": str(tmp_path)}
    words = command.split()
    arguments = [places.get(word, word.replace("OUT", str(tmp_path))) for word in words]
    assert not imported_by(sys.executable, "-c", RUN, *arguments) & unwanted


def room_of(path: Path) -> str:
    """The room of a source file: the folder in dlspec/, or the name of a module directly in it."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def is_aside(node: ast.AST) -> bool:
    """True for what does not run when a module is imported: functions, and `if TYPE_CHECKING:`."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Each import of dlspec's own in a file: the room imported from, the line, and if it runs on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aside = {inner for outer in ast.walk(tree) if is_aside(outer) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "dlspec":
            names = [f"dlspec.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "dlspec":
                yield rest.partition(".")[0] or "__init__", getattr(node, "lineno", 0), node not in aside


RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}


def test_every_room_is_known():
    found = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert found <= RANK.keys(), "say in ROOMS where it stands"


def test_rooms_import_only_from_their_left():
    wrong = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {room_of(path)} imports from {target}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for target, line, at_once in imports(path)
        if RANK.get(target, 0) > RANK.get(room_of(path), 0)
        and (at_once or (room_of(path), target) not in EXCEPTIONS)
    ]
    assert not wrong, "\n" + "\n".join(wrong)
