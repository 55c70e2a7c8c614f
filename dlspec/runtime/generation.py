"""Texts written by a trained model, one symbol after the other, on any backend.

A language model takes numbers of symbols, i64[N, T], and gives scores of the next one, f32[N, T, symbols], at each
place from what stands before it. Of two inputs of numbers the first is what is asked, the second what was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.diagnostics import fail
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.ir.graph import Program
from dlspec.ir.types import TensorType
from dlspec.ops.streams import generator, to_uniform
from dlspec.runtime.kept import SYMBOLS, TOKENS, read_kept, read_tokenizer
from dlspec.weights.store import check_weights, load_weights

CONTEXT = 256  # symbols that a model sees where neither it nor the data says how many

Scores = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """How the next symbol is chosen from its scores.

    temperature
        by which scores are divided before one is drawn; 0 takes the best one.
    top_k
        how many of the best are drawn from; all where None.
    """

    temperature: float = 0.0
    top_k: int | None = None
    seed: int = 0


def generate(
    program: Program, model: str, weights: Path, backend: str, prompt: str, length: int, choice: Choice
) -> str:
    """What the model writes after `prompt`, or in answer to it: at most `length` symbols."""
    symbols = read_symbols(weights)
    inputs, scores = _form(program, model, symbols.size)
    numbers = symbols.encode(prompt)
    if not numbers and len(inputs) == 1:
        raise fail("DLS0723", "the prompt is empty", hint="give at least one character to go on from")
    compute = _computing(program, model, scores, weights, backend)
    ends = symbols.ends and (len(inputs) == 2 or isinstance(symbols, Characters))
    choose = _chooser(choice, banned=None if ends else 0)
    written = [0] if len(inputs) == 2 else numbers
    asked = [_fitted(numbers, inputs[0])] if len(inputs) == 2 else []
    width = _context(program, model)
    length = (
        min(length, width) if asked else length
    )  # an answer may fill its column, with no sign for the end
    made: list[int] = []
    for _ in range(length):
        seen = (written + made)[-width:]
        symbol = choose(compute([*asked, _fitted(seen, inputs[-1])])[0, len(seen) - 1])
        if symbol == 0:
            break  # the sign for the end
        made.append(symbol)
    return symbols.decode(made)


class Characters:
    """The symbols of ``vocabulary.json``: a character each, number 0 for others or, where it is "", for the end."""

    def __init__(self, path: Path) -> None:
        self.symbols: list[str] = read_kept(path)
        if not isinstance(self.symbols, list) or not self.symbols:
            raise fail("DLS0738", f"`{path}` is no list of symbols", hint="train again, or copy it anew")
        self.size, self.ends = len(self.symbols), not self.symbols[0]
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> list[int]:
        """The characters as numbers; those that the vocabulary lacks as 0."""
        return [self.numbers.get(character, 0) for character in text]

    def decode(self, numbers: Sequence[int]) -> str:
        return "".join(self.symbols[number] for number in numbers)


class Tokens:
    """The tokens of ``tokenizer.json``; number 0 is none, and ends an answer."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = read_tokenizer(path)
        self.size: int = self.tokenizer.get_vocab_size()
        self.ends = True

    def encode(self, text: str) -> list[int]:
        """The text as tokens: every text has some."""
        return list(self.tokenizer.encode(text).ids)

    def decode(self, numbers: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(numbers)))


def read_symbols(weights: Path) -> Characters | Tokens:
    """What the numbers of a model stand for, as the training kept it beside its weights."""
    for file, kind in ((TOKENS, Tokens), (SYMBOLS, Characters)):
        if weights.with_name(file).is_file():
            return kind(weights.with_name(file))
    raise fail("DLS0723", f"there is no `{SYMBOLS}` or `{TOKENS}` beside the weights, `{weights}`",
               hint="give weights in the folder of a training that has a `vocabulary`")  # fmt: skip


def _form(program: Program, model: str, symbols: int) -> tuple[list[TensorType], str]:
    """The types of the inputs, and the output that scores symbols; raises SpecError for another form."""
    graph = program.model(model)
    inputs = [value.type for value in graph.inputs]
    named = list(zip(graph.outputs, graph.output_types(), strict=True))
    scores = [output.name for output, kind in named if kind.rank == 3 and kind.is_float]
    if not 1 <= len(inputs) <= 2 or any(t.dtype != "i64" or t.rank != 2 for t in inputs) or not scores:
        given = ", ".join(map(str, inputs))
        raise fail("DLS0723", f"`{model}` is no model of texts: it takes {given}",
                   hint="it must take symbols, i64[N, T], and give scores of the next, f32[N, T, symbols]")  # fmt: skip
    size = next(kind.shape[2] for output, kind in named if output.name == scores[0])
    if isinstance(size, int) and size < symbols:
        raise fail("DLS0723", f"`{model}` knows {size} symbols, and the vocabulary has {symbols}")
    return inputs, scores[0]


def _context(program: Program, model: str) -> int:
    """How many symbols the model sees at once: as it says, else as many as in training."""
    last = program.model(model).inputs[-1]
    if isinstance(last.type.shape[1], int):
        return last.type.shape[1]
    lengths = {
        name: column.shape[0]
        for training in program.trainings_of(model)
        for name, column in program.data[training.data].stored().items()
        if column.rank == 1 and isinstance(column.shape[0], int)
    }
    return lengths.get(last.name) or max(lengths.values(), default=CONTEXT)


def _fitted(numbers: Sequence[int], kind: TensorType) -> Any:
    """One row of numbers, filled up with 0 to the size that the input has, if it has one."""
    size = kind.shape[1] if isinstance(kind.shape[1], int) else max(len(numbers), 1)
    if len(numbers) > size:
        raise fail("DLS0723", f"the prompt has {len(numbers)} symbols, and the model takes {size}")
    row = np.zeros((1, size), np.int64)
    row[0, : len(numbers)] = numbers
    return row


def _computing(program: Program, model: str, scores: str, weights: Path, backend: str) -> Scores:
    """The function from inputs to the scores, with the model loaded once."""
    arrays = load_weights(weights)
    check_weights(program, model, arrays)
    names = [value.name for value in program.model(model).inputs]
    outputs = [output.name for output in program.model(model).outputs]
    place = outputs.index(scores)
    if backend == "onnx":
        from dlspec.runtime import onnx

        session = onnx.session(onnx.to_model(print_onnx(program, model, load_backend("onnx")), arrays))
        return lambda given: onnx.predict(session, dict(zip(names, given, strict=True)), outputs)[scores]
    from dlspec.runtime import live

    made = {"torch": live.torch_module, "keras": live.keras_model}[backend](program, model, arrays)
    run = {"torch": live.outputs_torch, "keras": live.outputs_keras}[backend]
    return lambda given: run(made, given)[place]


def _chooser(choice: Choice, banned: int | None) -> Callable[[Any], int]:
    """The rule that takes a number by its scores; `banned` is never taken."""
    stream = generator(choice.seed, "generate")

    def choose(scores: Any) -> int:
        scores = scores.astype(np.float64)
        if banned is not None:
            scores[banned] = -np.inf
        if choice.temperature == 0:
            return int(np.argmax(scores))
        best = np.argsort(-scores, kind="stable")[: choice.top_k]
        weights = np.exp((scores[best] - scores[best[0]]) / choice.temperature)
        reached = np.cumsum(weights) >= to_uniform(stream.random_raw(1))[0] * weights.sum()
        return int(best[np.argmax(reached)])

    return choose
