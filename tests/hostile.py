"""Hostile names and texts, specs with places for them, and what printed files are checked for."""

from __future__ import annotations

import ast
import io
import tokenize
import unicodedata
from collections.abc import Iterator, Sequence

from dlspec.elaborate.blocks import is_function_name
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program

# Keywords and builtins of Python; names of the frameworks, of Keras' and PyTorch's classes, and of the printed files.
NAMES = [*"""
class def print self torch nn F keras ops layers super None True False lambda data weights train forward call build
np __init__ __class__ __dict__ _ __ _modules _x x x1 x2 X Training training model type id Any Path json math main
load save name shape state_dict parameters add_weight compile loss metrics optimizer evaluate batch Batch columns
Columns epoch seed SEED SPLIT steps Tensor Module tf eval exec open dict int float str object Exception await match
del return global try except yield count read permutation Iterator annotations args kwargs options losses means
train_step trainable_variables onnx Identity u0 linear linear1 Place Dense Sequential range zip mask True_ save2
""".split(), "L" * 200, "l" * 200]  # fmt: skip # noqa: SIM905

ONE = """
# A file.

let {LET} = 3
block {BLOCK}({BLOCK_PARAM} = 4) {{
  input {BLOCK_INPUT}: [N, D]
  {REBOUND} = {BLOCK_INPUT} -> Linear({BLOCK_PARAM}) -> tanh
  output {REBOUND} + (-{BLOCK_INPUT})
}}
block {FUNCTION} {{ input {BLOCK_INPUT}: [N, D]  output {BLOCK_INPUT} * 2 }}
model {MODEL}({PARAM} = 5) {{
  input {COLUMN}: f32[{SYMBOL}, 4]
  {WEIGHT} = Parameter([4], init = normal(0.1))
  {LAYER} = Linear(4)
  {VALUE} = tanh({LAYER}({COLUMN})) + {LAYER}({COLUMN}) * {WEIGHT} / {LET}
  {VALUE} = {VALUE} -> {BLOCK}(4) -> repeat 2 {{ softsign -> {BLOCK}(4) }} -> {FUNCTION} -> Dropout(0.1)
  output {OUTPUT} = {VALUE} -> Linear({PARAM})
}}
data {DATA} {{
  source  = csv("a.csv")
  columns = {{ {COLUMN}: f32[4], {LABEL}: i64 }}
  prepare {{ {COLUMN} = {COLUMN} / 16 }}
}}
train {MODEL} on {DATA} {{
  loss      = cross_entropy({OUTPUT}, {LABEL})
  optimizer = Adam(lr = 1e-3)
  metrics   = {{ {METRIC}: accuracy({OUTPUT}, {LABEL}) }}
}}
export {MODEL} {{ prepare = {DATA} }}
"""

SEVERAL = """
model {GENERATOR}(latent = 3) {{ input z: f32[N, latent]  output image = z -> Linear(4) -> tanh }}
model {CRITIC} {{ input image: f32[N, 4]  output real = image -> Linear(1) }}
data {DATA} {{ source = csv("a.csv")  columns = {{ {COLUMN}: f32[4], {LABEL}: i64 }} }}
train {TRAIN} on {DATA} {{
  models = {{ {G}: {GENERATOR}(3), {D}: {CRITIC} }}
  step {STEP1} updates {D} with Adam(lr = 2e-4) {{
    {VALUE} = stop_gradient({G}(normal([N, 3])))
    minimize bce_with_logits({D}({COLUMN}), 1) + bce_with_logits({D}({VALUE}), 0)
  }}
  step {STEP2} updates {G} with Momentum(lr = 0.1) {{ minimize bce_with_logits({D}({G}(normal([N, 3]))), 1) }}
  metrics = {{ {METRIC}: mean({D}({COLUMN})) }}
}}
"""

MODULES = {
    "__future__", "argparse", "collections", "data", "functools", "hashlib", "itertools", "json", "keras", "math",
    "model", "numpy",
    "onnxruntime", "pathlib", "re", "safetensors", "sklearn", "sys", "tensorflow", "time", "torch", "typing",
    "weights",
}  # fmt: skip

TEXTS = [
    "'''; import EVIL", "{{ 7 * 7 }}", "{% for i in EVIL %}{{ EVIL }}{% endfor %}", "#}", "{# EVIL", "}} {{ EVIL", "\\",
    "ends with \\\\", "%(prog)s %s", "$(EVIL) ${EVIL}", "[bold]EVIL[/bold]", "f'{EVIL}'", "#: imports", "é ﬁ 名前",
    'EVIL"""', '""" + EVIL + """', "x" * 500, "F.relu(EVIL) np.EVIL", "# noqa", "</script>",
]  # fmt: skip
# Only as escapes in strings can these stand in a spec at all.
ESCAPED = [
    '"""\nimport EVIL\n"""',
    "a\r\nEVIL = 1",
    "\u202eEVIL",
    "\u2028EVIL",
    "\x1b[31mEVIL",
    "\n#: imports\n",
    "\x85",
    "\t",
]


def positions(template: str) -> list[str]:
    """The places for names, in the order in which they appear."""
    cut = (piece.partition("}")[0] for piece in template.replace("{{", "").split("{")[1:])
    return list(dict.fromkeys(cut))


def named(template: str, start: int) -> dict[str, str]:
    """Another name for each place; over all `start`s, every name at every place."""
    names = {place: NAMES[(start + 7 * i) % len(NAMES)] for i, place in enumerate(positions(template))}
    names["METRIC"] = names["METRIC"].replace("loss", "loss_")  # the loss itself is among the results
    if "BLOCK" in names:  # a small letter begins the names of functions, and only theirs
        is_function = {place: is_function_name(names[place]) for place in ("BLOCK", "FUNCTION")}
        names["BLOCK"] = f"B{names['BLOCK']}" if is_function["BLOCK"] else names["BLOCK"]
        names["FUNCTION"] = names["FUNCTION"] if is_function["FUNCTION"] else f"f{names['FUNCTION']}"
    return names


def plain(template: str) -> dict[str, str]:
    """Harmless names."""
    return {place: place.title() if "MODEL" in place or place == "BLOCK" else place.lower()
            for place in positions(template)}  # fmt: skip


def files(program: Program, name: str, backends: Sequence[str]) -> Iterator[tuple[str, str]]:
    for backend in backends:
        for file, text in print_project(program, name, load_backend(backend)).items():
            yield f"{backend}/{file}", text


def outline(source: str) -> list[str]:
    """The kinds of a file's top-level statements. Imports are left out, but must be of `MODULES`, and so is the
    table of weights that could not keep their names.
    """
    kinds = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found = (
                [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            )
            assert {str(name).partition(".")[0] for name in found} <= MODULES
        elif not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAMES"):
            kinds.append(type(node).__name__)
    return kinds


def assert_only_text(source: str) -> None:
    """EVIL is no name: it is in strings, comments, and spelled into the names of what the user calls so."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        assert token.string != "EVIL", token.line


def assert_showable(text: str) -> None:
    """Nothing that a terminal would act on."""
    assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def quoted(text: str) -> str:
    """A string of the language."""
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return "".join(
        signs.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or 127 <= ord(c) < 0x10000 else c) for c in text
    )
