"""Texts from models whose next symbol is known: the one after the last in the alphabet."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.ir.graph import Program
from dlspec.runtime.generation import Choice, generate, generate_about
from dlspec.weights.store import save_weights

NEXT = """
model Net {
  input text: i64[N, T]
  output logits = one_hot(text, 6) -> Linear(6, bias = false)
}
"""
FIXED = NEXT.replace("i64[N, T]", "i64[N, 4]")
ANSWER = """
model Net {
  input asked: i64[N, 3]
  input answered: i64[N, 5]
  output logits = one_hot(answered, 6) + 0 * sum(one_hot(asked, 6)) -> Linear(6, bias = false)
}
"""
# At the beginning, the score of 4 is the first pixel, that of 5 the second.
SEEN = """
model Net {
  input image: f32[N, 2]
  input sofar: i64[N, T]
  seen = (image @ one_hot(arange(2) + 4, 6))[:, none] * cast(sofar == 0, f32)[..., none]
  output logits = (one_hot(sofar, 6) -> Linear(6, bias = false)) + 10 * seen
}
"""

OF_DATA = (
    ANSWER.replace("answered", "sofar").replace("N, 3", "N, S").replace("N, 5", "N, T")
    + """
data Days {
  source = synthetic("dates")
  columns = { asked: i64[20], sofar: i64[12], answer: i64[12] }
  vocabulary = characters(6)
}
train Net on Days {
  loss = cross_entropy(logits, answer, axis = 2)
  optimizer = Adam(lr = 1e-3)
}
"""
)


def made(text: str, folder: Path, symbols: list[str]) -> tuple[Program, Path]:
    """The program, and weights that give the next number a score of 4, the one after it 3."""
    (folder / "net.dls").write_text(text)
    (folder / "vocabulary.json").write_text(json.dumps(symbols))
    after = np.roll(np.eye(6, dtype=np.float32), 1, axis=0)
    save_weights(folder / "weights.safetensors", {"linear.weight": 4 * after + 3 * after @ after})
    return load_program(folder / "net.dls"), folder / "weights.safetensors"


@pytest.mark.parametrize("backend", ["onnx", "torch", "keras"])
@pytest.mark.parametrize("text", [NEXT, FIXED], ids=["any length", "fixed length"])
def test_goes_on(text: str, backend: str, tmp_path: Path) -> None:
    """The best symbol each time, also beyond the length that the model takes; never the sign for others."""
    program, weights = made(text, tmp_path, ["\ufffd", *"abcde"])
    assert generate(program, "Net", weights, backend, "a", 7, Choice()) == "bcdeabc"
    assert generate(program, "Net", weights, backend, "eab?a", 2, Choice()) == "bc"


def test_answers_until_the_end(tmp_path: Path) -> None:
    program, weights = made(ANSWER, tmp_path, ["", *"abcde"])
    assert generate(program, "Net", weights, "onnx", "ab", 9, Choice()) == "abcde"
    assert generate(program, "Net", weights, "onnx", "ab", 2, Choice()) == "ab"
    with pytest.raises(SpecError, match="4 symbols, and the model takes 3"):
        generate(program, "Net", weights, "onnx", "abcd", 9, Choice())


def test_answers_fill_their_column_at_most(tmp_path: Path) -> None:
    """Not the longer column of what is asked: the model has seen no answer that goes on."""
    program, weights = made(OF_DATA, tmp_path, ["\ufffd", *"abcde"])
    assert generate(program, "Net", weights, "onnx", "ab", 99, Choice()) == "abcdeabcdeab"


@pytest.mark.parametrize("backend", ["onnx", "torch", "keras"])
def test_writes_about_examples(backend: str, tmp_path: Path) -> None:
    """A text for each, from its image: ended ones stay, others go on; also over several batches."""
    program, weights = made(SEEN, tmp_path, ["", *"abcde"])
    image = np.tile(np.array([[1, 0], [0, 1]], np.float32), (40, 1))
    about = partial(generate_about, program, "Net", weights, backend, {"image": image})
    assert about("", 9, Choice()) == ["de", "e"] * 40
    assert about("ab", 2, Choice()) == ["abcd"] * 80
    assert about("", 1, Choice(1.0, 1)) == ["d", "e"] * 40


def test_what_a_prompt_cannot_say(tmp_path: Path) -> None:
    program, weights = made(SEEN, tmp_path, ["", *"abcde"])
    with pytest.raises(SpecError, match=r"about `image`, f32\[N, 2\], which a prompt cannot say"):
        generate(program, "Net", weights, "onnx", "a", 3, Choice())
    program, weights = made(NEXT, tmp_path, ["", *"abcde"])
    with pytest.raises(SpecError, match="nothing but the text"):
        generate_about(program, "Net", weights, "onnx", {}, "a", 3, Choice())


def test_draws(tmp_path: Path) -> None:
    """By temperature, from the best only, the same for a seed on every backend."""
    program, weights = made(NEXT, tmp_path, ["\ufffd", *"abcde"])

    def drawn(choice: Choice, backend: str = "onnx") -> str:
        return generate(program, "Net", weights, backend, "a", 300, choice)

    text = drawn(Choice(1.0, 2, seed=1))
    steps = Counter((ord(b) - ord(a)) % 5 for a, b in pairwise(text) if a < "d")
    assert set(steps) == {1, 2}
    assert steps[1] / steps.total() == pytest.approx(1 / (1 + np.exp(-1)), abs=0.08)
    assert drawn(Choice(1.0, 1)) == drawn(Choice()) == drawn(Choice(0.01))
    assert len(set(drawn(Choice(100.0))[:50])) == 5
    assert text == drawn(Choice(1.0, 2, seed=1), "torch")
    assert text != drawn(Choice(1.0, 2, seed=2))


@pytest.mark.parametrize(
    ("text", "prompt", "message"),
    [
        (NEXT, "", "the prompt is empty"),
        (NEXT.replace(" 6)", " 5)").replace("(6,", "(5,"), "a", "knows 5 symbols, and the vocabulary has 6"),
        ("model Net { input x: f32[N, 3]  output y = x -> Linear(2) }", "a", "no model of texts"),
    ],
)
def test_what_cannot_be_written(text: str, prompt: str, message: str, tmp_path: Path) -> None:
    program, weights = made(text, tmp_path, ["\ufffd", *"abcde"])
    with pytest.raises(SpecError, match=message):
        generate(program, "Net", weights, "onnx", prompt, 3, Choice())


@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is no"), ("[", "cannot read"), ("[1]", "no list")]
)
def test_wrong_vocabularies(content: str | None, message: str, tmp_path: Path) -> None:
    program, weights = made(NEXT, tmp_path, ["x"])
    (tmp_path / "vocabulary.json").unlink()
    if content:
        (tmp_path / "vocabulary.json").write_text(content)
    with pytest.raises(SpecError, match=message):
        generate(program, "Net", weights, "onnx", "a", 3, Choice())
