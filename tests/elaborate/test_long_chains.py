"""Numbers remember where they came from, however long the chain is that they come through."""

from __future__ import annotations

import dlspec


def test_a_long_chain_of_blocks() -> None:
    """What gave the sizes of the cache is asked for at the end of the chain."""
    model = dlspec.load("zoo:language/gpt2", set={"GPT2Step.depth": "384"}).model("GPT2Step")
    assert "for layer, cache in zip(" in model.code("torch")
