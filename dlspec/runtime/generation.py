"""Texts written by a trained model, one symbol after the other, on any backend.

A model that writes takes numbers of symbols, i64[N, T], and gives scores of the next one, f32[N, T, symbols], at each
place from what stands before it. Its other inputs are what it writes about: a text that is asked, an image.
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
from dlspec.ir.graph import Program, Value
from dlspec.ir.types import TensorType
from dlspec.ops.streams import generator, to_uniform
from dlspec.runtime.symbols import Characters, Tokens, read_symbols
from dlspec.weights.store import load_weights, own_weights

CONTEXT = 256  # symbols that a model sees where neither it nor the data says how many
ROWS = 64  # examples that are written about at once

Arrays = dict[str, Any]
Scores = Callable[[Arrays], Any]
Choose = Callable[[Any], Any]


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


@dataclass(frozen=True, slots=True)
class Form:
    """What a model that writes takes and gives.

    written
        the input of what has been written so far: the last one of numbers, i64[N, T].
    given
        the other inputs.
    scores
        the output that scores the next symbol, and of how many.
    """

    model: str
    written: Value
    given: list[Value]
    scores: str
    symbols: int | None


def generate(
    program: Program, model: str, weights: Path, backend: str, prompt: str, length: int, choice: Choice
) -> str:
    """What the model writes after `prompt`, or in answer to it: at most `length` symbols."""
    form, symbols = writing_form(program, model), read_symbols(weights)
    numbers = symbols.encode(prompt)
    if not form.given:
        if not numbers:
            raise fail("DLS0723", "the prompt is empty", hint="give at least one character to go on from")
        return _written(program, form, symbols, weights, backend, {}, numbers, length, choice)[0]
    asked = form.given[0]
    if len(form.given) > 1 or not _is_text(asked.type):
        raise fail("DLS0723", f"`{model}` writes about `{asked.name}`, {asked.type}, which a prompt cannot say",
                   hint="give examples to write about: `--split test`, or `--input FILE`")  # fmt: skip
    given = {asked.name: _fitted(np.array([numbers], np.int64), asked.type)}
    return _written(program, form, symbols, weights, backend, given, [], length, choice)[0]


def generate_about(
    program: Program, model: str, weights: Path, backend: str, given: Arrays, beginning: str, length: int,
    choice: Choice,
) -> list[str]:  # fmt: skip
    """What the model writes about each example of its other inputs; each text has this `beginning`."""
    form, symbols = writing_form(program, model), read_symbols(weights)
    if not form.given:
        raise fail("DLS0723", f"`{model}` takes nothing but the text that it goes on from",
                   hint="leave the examples out: `--generate TEXT` alone")  # fmt: skip
    numbers = symbols.encode(beginning)
    made = _written(program, form, symbols, weights, backend, given, numbers, length, choice)
    return [beginning + text for text in made]


def writing_form(program: Program, model: str) -> Form:
    """Which input is written, and by which scores; raises SpecError (DLS0723) for another form."""
    graph = program.model(model)
    named = list(zip(graph.outputs, graph.output_types(), strict=True))
    scores = [(output.name, kind) for output, kind in named if kind.rank == 3 and kind.is_float]
    written = next((value for value in reversed(graph.inputs) if _is_text(value.type)), None)
    given = [value for value in graph.inputs if value is not written]
    if written is None or not scores:
        types = ", ".join(str(value.type) for value in graph.inputs)
        raise fail("DLS0723", f"`{model}` is no model of texts: it takes {types}",
                   hint="it must take symbols, i64[N, T], and give scores of the next, f32[N, T, symbols]")  # fmt: skip
    name, kind = scores[0]
    return Form(model, written, given, name, kind.shape[2] if isinstance(kind.shape[2], int) else None)


def _is_text(kind: TensorType) -> bool:
    return kind.dtype == "i64" and kind.rank == 2


def _written(
    program: Program, form: Form, symbols: Characters | Tokens, weights: Path, backend: str, given: Arrays,
    begun: list[int], length: int, choice: Choice,
) -> list[str]:  # fmt: skip
    """The texts that follow what is `begun`, one for each row of what is given."""
    if form.symbols is not None and form.symbols < symbols.size:
        raise fail(
            "DLS0723", f"`{form.model}` knows {form.symbols} symbols, and the vocabulary has {symbols.size}"
        )
    width = _context(program, form)
    if form.given:
        begun = [0, *begun]  # the sign for the beginning, as in training
        # An answer may fill its column, with no sign for the end.
        length = min(length, width + 1 - len(begun))
    compute = _computing(program, form, weights, backend)
    choose = _chooser(choice, banned=None if _ends(symbols, form) else 0)
    total = next((len(rows) for rows in given.values()), 1)
    texts: list[str] = []
    for start in range(0, total, ROWS):
        part = {name: rows[start : start + ROWS] for name, rows in given.items()}
        rows = np.tile(np.array(begun, np.int64), (min(ROWS, total - start), 1))
        made = _grown(form, compute, choose, part, rows, length, width)
        texts += [symbols.decode(_until_end(row)) for row in made[:, len(begun) :].tolist()]
    return texts


def _ends(symbols: Characters | Tokens, form: Form) -> bool:
    """Whether number 0 ends a text: among tokens it only fills up what is no answer."""
    return symbols.ends and (bool(form.given) or isinstance(symbols, Characters))


def _grown(
    form: Form, compute: Scores, choose: Choose, given: Arrays, rows: Any, length: int, width: int
) -> Any:
    """The rows with at most `length` more symbols, each chosen after all before it, until all have ended."""
    ended = np.zeros(len(rows), bool)
    for _ in range(length):
        seen = rows[:, -width:]
        scores = compute({**given, form.written.name: _fitted(seen, form.written.type)})
        symbol = np.where(ended, 0, choose(scores[:, seen.shape[1] - 1]))
        rows = np.concatenate([rows, symbol[:, None]], axis=1)
        ended |= symbol == 0
        if ended.all():
            break
    return rows


def _until_end(numbers: Sequence[int]) -> Sequence[int]:
    """Those before the first 0, the sign for the end."""
    return numbers[: numbers.index(0)] if 0 in numbers else numbers


def _context(program: Program, form: Form) -> int:
    """How many symbols the model sees at once: as it says, else as many as in training."""
    size = form.written.type.shape[1]
    if isinstance(size, int):
        return size
    lengths = {
        name: column.shape[0]
        for training in program.trainings_of(form.model)
        for name, column in program.data[training.data].stored().items()
        if column.rank == 1 and isinstance(column.shape[0], int)
    }
    return lengths.get(form.written.name) or max(lengths.values(), default=CONTEXT)


def _fitted(numbers: Any, kind: TensorType) -> Any:
    """Rows of numbers, filled up with 0 to the size that the input has, if it has one."""
    found = numbers.shape[1]
    size = kind.shape[1] if isinstance(kind.shape[1], int) else max(found, 1)
    if found > size:
        raise fail("DLS0723", f"the prompt has {found} symbols, and the model takes {size}")
    return np.pad(numbers, ((0, 0), (0, size - found)))


def _computing(program: Program, form: Form, weights: Path, backend: str) -> Scores:
    """The function from inputs by name to the scores, with the model loaded once."""
    model = form.model
    arrays = own_weights(program, model, load_weights(weights))
    outputs = [output.name for output in program.model(model).outputs]
    if backend == "onnx":
        from dlspec.runtime import onnx

        session = onnx.session(onnx.to_model(print_onnx(program, model, load_backend("onnx")), arrays))
        return lambda given: onnx.predict(session, given, outputs)[form.scores]
    from dlspec.runtime import live

    made = {"torch": live.torch_module, "keras": live.keras_model}[backend](program, model, arrays)
    run = {"torch": live.outputs_torch, "keras": live.outputs_keras}[backend]
    names = [value.name for value in program.model(model).inputs]
    place = outputs.index(form.scores)
    return lambda given: run(made, [given[name] for name in names])[place]


def _chooser(choice: Choice, banned: int | None) -> Choose:
    """The rule that takes a number for each row of scores; `banned` is never taken."""
    stream = generator(choice.seed, "generate")

    def choose(scores: Any) -> Any:
        scores = scores.astype(np.float64)
        if banned is not None:
            scores[:, banned] = -np.inf
        if choice.temperature == 0:
            return np.argmax(scores, axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, : choice.top_k]
        found = np.take_along_axis(scores, best, axis=1)
        weights = np.exp((found - found[:, :1]) / choice.temperature)
        drawn = to_uniform(stream.random_raw(len(scores))) * weights.sum(axis=1)
        reached = np.cumsum(weights, axis=1) >= drawn[:, None]
        return np.take_along_axis(best, np.argmax(reached, axis=1)[:, None], axis=1)[:, 0]

    return choose
