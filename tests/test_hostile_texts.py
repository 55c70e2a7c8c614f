"""A stranger's texts: comments and strings stay comments and strings, on every way out."""

from __future__ import annotations

import ast
import json

import pytest

import dlspec
from dlspec.diagnostics.render import render, to_json
from tests.hostile import (
    ESCAPED,
    ONE,
    TEXTS,
    assert_only_text,
    assert_showable,
    files,
    outline,
    plain,
    quoted,
)


@pytest.mark.parametrize("text", TEXTS)
def test_comments_stay_comments(text: str) -> None:
    import onnx.parser

    harmless, hostile = (ONE.format(**plain(ONE)) for _ in range(2))
    for word in ("# A file.\n", "block ", "model ", "data ", "train Model"):
        comment = f"# {text}\n# {text}\n"
        hostile = hostile.replace(word, comment if word.startswith("#") else comment + word, 1)
    program, reference = (dlspec.loads(spec).program for spec in (hostile, harmless))
    expected = dict(files(reference, "Model", ("torch", "keras", "onnx")))
    for file, printed in files(program, "Model", ("torch", "keras", "onnx")):
        if file.endswith(".py"):
            assert outline(printed) == outline(expected[file])
            assert_only_text(printed)
        else:
            assert text in onnx.parser.parse_model(printed).doc_string
        assert printed.count("49") == expected[file].count("49")
    assert text in json.loads(program.model_dump_json())["doc"]


@pytest.mark.parametrize("text", [*(t for t in TEXTS if not t.startswith("%")), *ESCAPED])
def test_strings_stay_strings(text: str) -> None:
    """A path, a delimiter, a column, a metric, a part of the split, the key of a model."""
    string = f'"{quoted(text)}"'
    spec = f"""
    model M {{ input x: f32[N, 4]  output y = x -> Linear(3) }}
    data D {{
      source  = csv({string}, delimiter = {string})
      columns = {{ x: f32[4], label: i64, {string}: f32 }}
      split   = {{ train: 0.8, {string}: 0.2 }}
      prepare {{ x = x / 2 }}
    }}
    train M on D {{
      loss = cross_entropy(y, label)  optimizer = Adam  metrics = {{ {string}: accuracy(y, label) }}
    }}
    train T on D {{
      models = {{ "{quoted(text)}!": M, G: M }}
      step a updates G with SGD(lr = 1) {{ minimize cross_entropy(G(x), label) }}
    }}
    """
    program = dlspec.loads(spec).program
    for name in ("M", "T"):
        for _, printed in files(program, name, ("torch", "keras")):
            outline(printed)
            assert_only_text(printed)
            assert "{{ 7 * 7 }}" in printed or "49" not in printed
    source = ast.parse(dict(files(program, "M", ("torch",)))["torch/data.py"])
    assert text in {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    assert text in json.loads(program.model_dump_json())["data"]["D"]["columns"]


def test_names_of_dlspec_itself_are_refused() -> None:
    with pytest.raises(dlspec.SpecError, match="DLS0505"):
        dlspec.loads('data D { source = csv("a")  columns = { "%1": f32, x: f32 } }')


@pytest.mark.parametrize(
    "text", [*TEXTS, "n", "->", "n t -> n t t", "n n -> n", "(n t -> n", "n t -> n __t", "n {t} -> t"]
)
def test_patterns_are_read_by_the_rules_of_patterns_alone(text: str) -> None:
    for call in ("rearrange(x, {})", "einsum({}, x, x)", 'reduce(x, {}, "mean")'):
        written = call.format(f'"{quoted(text)}"')
        with pytest.raises(dlspec.SpecError) as error:
            dlspec.loads(f"model M {{ input x: f32[N, 4]  output y = {written} }}")
        assert_showable("".join(map(render, error.value.diagnostics)))


@pytest.mark.parametrize(
    "source",
    [
        'sklearn("os; import EVIL")',
        'sklearn("__class__")',
        'csv("a", encoding = "EVIL")',
        'npz("a", allow_pickle = true)',
    ],
)
def test_sources_take_what_they_know(source: str) -> None:
    text = ONE.format(**plain(ONE)).replace('csv("a.csv")', source)
    with pytest.raises(dlspec.SpecError, match="DLS0"):
        dict(files(dlspec.loads(text).program, "Model", ("torch",)))


@pytest.mark.parametrize(
    "text",
    [
        "model Cl\u0430ss {}", "model \uff2eet {}", "let x = \u22121", "let x = 2 \u00d7 3", "let\u00a0x = 1",
        "data D { source = sklearn(\u201cdigits\u201d) }", "model M { output x \u2192 relu }", "let x\u200b = 1",
        "let x\U000e0041 = 1", "let \u03c0 = 3", "# a\u202eb\nlet x = 1", 'let x = "\u2066"', "# \x1b[31m\nlet x = 1",
        "let x = 1\x00", "let x = 1\u2028let y = 2",
    ],
)  # fmt: skip
def test_look_alikes_and_invisible_characters_are_refused(text: str) -> None:
    with pytest.raises(dlspec.SpecError) as error:
        dlspec.loads(text)
    assert [d.code for d in error.value.diagnostics] == ["DLS0103"]
    assert_showable(render(error.value.diagnostics[0]))
    assert json.loads(json.dumps(to_json(error.value.diagnostics[0])))["code"] == "DLS0103"


@pytest.mark.parametrize("text", [*TEXTS, *ESCAPED])
def test_diagnostics_show_texts_as_they_are(text: str) -> None:
    string = f'"{quoted(text)}"'
    spec = f"model M {{ input x: f32[N, 4]  output y = x -> Linear({string}) -> RNN(4, output = {string}) }}"
    with pytest.raises(dlspec.SpecError) as error:
        dlspec.loads(spec)
    for diagnostic in error.value.diagnostics:
        assert_showable(render(diagnostic))
        json.dumps(to_json(diagnostic))
