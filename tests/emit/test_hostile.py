"""No name, text or number of a spec can leave its place in printed Python."""

from __future__ import annotations

import ast

import pytest

from dlspec.emit.code import comment_text, quoted
from dlspec.emit.manifest import load_backend
from dlspec.emit.names import identifier
from dlspec.emit.python import print_model
from dlspec.emit.weights import weight_map
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program

NAMES = [
    "class", "None", "self", "torch", "F", "nn", "Tensor", "print", "forward", "training", "train", "__init__",
    "__class__", "x", "_", "1st", "a b", "a-b", 'q"', "it's", "{{ x }}", "{% raw %}", "new\nline", "back\\slash",
    "#", '"""', "π", "ﬁ", "а", "x1", "super", "Net", "take", "match", "type", "input",
]  # fmt: skip
TEXTS = [
    '"""\nimport os\n"""',
    "\\",
    'ends with "',
    "{{ 7 * 7 }}",
    "\u202eevil",
    "a\rb",
    "'''",
    "\0",
    "# noqa",
    "x\n\ny",
]


@pytest.mark.parametrize("text", [*NAMES, *TEXTS])
def test_strings_become_the_same_strings(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text
    assert quoted(text).isascii()


@pytest.mark.parametrize("text", [*NAMES, *TEXTS])
def test_comments_stay_comments(text: str) -> None:
    safe = comment_text(text)
    assert len(safe.splitlines()) <= 1
    assert ast.get_docstring(ast.parse(f'"""{safe}"""\n')) is not None
    assert len(ast.parse(f'"""{safe}"""\n').body) == 1


@pytest.mark.parametrize("name", NAMES)
def test_names_become_identifiers(name: str) -> None:
    assert identifier(name).isidentifier()
    assert identifier(name).isascii()


def hostile(name: str, text: str) -> Program:
    """A model in which everything is called `name`."""
    b = Builder(name, {name: 5})
    x = b.input(name, "f32[N, 4]")
    linear = b.Linear(5, name=name)
    h = linear(x)
    b.label(h, name)
    y = b.tanh(linear(b.Linear(4, name="modules" if name == "forward" else "forward")(h)))
    b.output(name, y + x @ b.transpose(b.reference(f"{name}.weight", b.types[f"{name}.weight"])))
    graph = b.build().model_copy(update={"doc": text})
    return Program(source=text, graphs={name: graph}, models={name: name})


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_hostile_names_is_a_model(name: str, text: str) -> None:
    program = hostile(name, text)
    tree = ast.parse(print_model(program, name, load_backend("torch")))
    kinds = [type(node).__name__ for node in tree.body]
    assert set(kinds) <= {"Expr", "Import", "ImportFrom", "ClassDef"}
    assert kinds.count("ClassDef") == kinds.count("Expr") == 1
    natives = [native for _, native, _ in weight_map(program, name, load_backend("torch"))]
    assert len(set(natives)) == len(natives) == 4


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_hostile_names_runs(name: str) -> None:
    torch = pytest.importorskip("torch")
    space: dict = {"__name__": "printed"}
    text = print_model(hostile(name, TEXTS[0]), name, load_backend("torch"))
    exec(text, space)
    model = next(v for v in space.values() if isinstance(v, type) and v.__module__ == "printed")()
    assert model(torch.zeros(3, 4)).shape == (3, 5)
