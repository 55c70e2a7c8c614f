"""What a language model must not see, and the order in which it reads."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec._data import data_path
from dlspec.runtime.interpreter import run

SPECS = Path(str(data_path("specs")))
SMALL = {"words": "50", "width": "32", "depth": "2", "heads": "4", "hidden": "48"}
DECODERS = {
    "GPT2": ("gpt2", {**SMALL, "hidden": None}),
    "Llama": ("llama", {**SMALL, "kv_heads": "2"}),
    "Mixtral": ("mixtral", {**SMALL, "kv_heads": "2", "experts": "4"}),
}


def reference(name: str, model: str, sizes: dict[str, Any]) -> Any:
    """A function of the model's inputs, by name: its results, by name."""
    settings = {f"{model}.{key}": value for key, value in sizes.items() if value is not None}
    spec = dlspec.load(SPECS / f"{name}.dls", settings)
    weights = spec.model(model).weights()
    return lambda **inputs: run(spec.program, spec.program.models[model], inputs, weights)


def tokens(seed: int = 0, length: int = 7) -> Any:
    return np.random.default_rng(seed).integers(1, 50, (2, length))


def same(found: Any, wanted: Any) -> bool:
    return bool(np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("model", DECODERS)
def test_decoder_sees_no_later_token(model: str) -> None:
    file, sizes = DECODERS[model]
    net = reference(f"language/{file}", model, sizes)
    first, changed = tokens(), tokens()
    changed[:, 4] = (changed[:, 4] + 1) % 50
    before, after = net(tokens=first)["logits"], net(tokens=changed)["logits"]
    assert same(after[:, :4], before[:, :4])
    assert not any(same(after[:, t], before[:, t]) for t in (4, 5, 6))


def test_transformer_sees_neither_padding_nor_later_words() -> None:
    net = reference("language/transformer", "Transformer", SMALL)
    source, target = tokens(1, 5), tokens(2)
    logits = net(source=source, target=target)["logits"]
    padded = np.concatenate([source, np.zeros((2, 3), int)], axis=1)
    assert same(net(source=padded, target=target)["logits"], logits)
    later = target.copy()
    later[:, -1] = (later[:, -1] + 1) % 50
    assert same(net(source=source, target=later)["logits"][:, :-1], logits[:, :-1])
    turned = net(source=source[:, ::-1], target=target)["logits"]
    assert not same(turned, logits)  # words have places


def test_bert_sees_both_sides_but_not_what_is_hidden() -> None:
    net = reference("language/bert", "BERT", {**SMALL, "positions": "16"})
    words = tokens()
    given = {"tokens": words, "segment": np.zeros_like(words)}
    visible = np.ones(words.shape, bool)
    visible[:, 5:] = False
    sequence = net(**given, visible=visible)["sequence"]
    other = words.copy()
    other[:, 5:] = 3
    assert same(net(**given | {"tokens": other}, visible=visible)["sequence"][:, :5], sequence[:, :5])
    other = words.copy()
    other[:, 4] = 3
    assert not same(net(**given | {"tokens": other}, visible=visible)["sequence"][:, 0], sequence[:, 0])


def test_experts_are_the_two_that_the_router_likes_best() -> None:
    """Of four experts, two count: what the others know does not matter."""
    sizes = {**SMALL, "kv_heads": "2", "experts": "4"}
    spec = dlspec.load(
        SPECS / "language/mixtral.dls", {f"Mixtral.{key}": value for key, value in sizes.items()}
    )
    weights = spec.model("Mixtral").weights()
    router = "layers.0.experts.router.weight"
    weights[router] = np.zeros_like(weights[router])  # all scores are alike: the first two are chosen

    def logits() -> Any:
        return run(spec.program, spec.program.models["Mixtral"], {"tokens": tokens()}, weights)["logits"]

    before = logits()
    weights["layers.0.experts.experts.3.down.weight"] *= 2
    assert same(logits(), before)
    weights["layers.0.experts.experts.1.down.weight"] *= 2
    assert not same(logits(), before)


def test_greedy_decoding() -> None:
    spec = dlspec.load(SPECS / "sequence/blstm_ctc.dls", {"SpeechCTC.features": "3", "SpeechCTC.hidden": "4",
                                                          "SpeechCTC.symbols": "4"})  # fmt: skip
    speech = np.random.default_rng(3).standard_normal((3, 20, 3), "f4") * 9
    weights = {name: 9 * array for name, array in spec.model().weights().items()}
    found = run(spec.program, spec.program.models["SpeechCTC"], {"speech": speech}, weights)
    for scores, symbol, counts in zip(*(found[name] for name in ("scores", "symbol", "counts")), strict=True):
        wanted = [key for key, _ in groupby(scores.argmax(axis=1)) if key != 0]
        assert list(symbol[counts]) == wanted
        assert 0 < len(wanted) < 20
