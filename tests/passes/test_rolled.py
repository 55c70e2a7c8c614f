"""Calls of the blocks of a list, printed as loops, compute what the spec says."""

from __future__ import annotations

import numpy as np
import pytest

import dlspec
from dlspec.runtime.interpreter import run

BLOCKS = """
block Plain { input x: [N, D]  output x -> Linear(D) -> tanh }
block Pair { input x: [N, D]  input s: [N, D]  y = x + (s -> Linear(D))  output y, y * s }
"""
HEAD = "model Net { input x: f32[N, 4]  input states: f32[3, N, 4]\n"

# A body, and what the printed function must have: a loop, or none.
CASES = {
    "a chain is a stack": (
        "blocks = [Plain() for i in 0..3]  for block in blocks { x = block(x) }  output y = x",
        "nn.Sequential(*[Plain(4) for _ in range(3)])",
    ),
    "slices and results": (
        """pairs = [Pair() for i in 0..3]  made = []
        for pair, s in zip(pairs, unstack(states)) { x, s = pair(x, s)  made = made + [s] }
        output y = x  output ends = stack(made)""",
        """
        for pair, s in zip(self.pairs, states.unbind(0), strict=True):
            x, s = pair(x, s)
            ss.append(s)
        ends = torch.stack(ss)""",
    ),
    "two lists of results": (
        """pairs = [Pair() for i in 0..3]  left = []  right = []
        for pair in pairs { a, b = pair(x, x)  left = left + [a]  right = right + [b] }
        output y = stack(left)  output z = stack(right)""",
        "            a, b = pair(x, x)",
    ),
    "results alone": (
        "experts = [Plain() for i in 0..3]  output y = sum(stack([e(x) for e in experts], axis = 1), axis = 1)",
        "torch.stack([expert(x) for expert in self.experts], dim=1)",
    ),
    "what goes in is read again": (
        """pairs = [Pair() for i in 0..3]  y = x -> tanh  made = []
        for pair in pairs { y, s = pair(y, x)  made = made + [s] }
        output z = y + x  output ends = stack(made, axis = 1)""",
        "for pair in self.pairs:",
    ),
    "results that are read in between": (
        """blocks = [Plain() for i in 0..3]  total = x
        for block in blocks { x = block(x)  total = total + x }
        output y = total""",
        "",
    ),
    "slices that are read elsewhere": (
        """pairs = [Pair() for i in 0..3]  parts = unstack(states)
        for pair, s in zip(pairs, parts) { x, t = pair(x, s) }
        output y = x + parts[0]""",
        "",
    ),
    "another order": (
        """blocks = [Plain() for i in 0..3]
        output y = blocks[0](blocks[2](blocks[1](x)))""",
        "",
    ),
    "one of them twice": (
        """blocks = [Plain() for i in 0..3]  for block in blocks { x = block(x) }
        output y = blocks[1](x)""",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_loops(case: str) -> None:
    body, wanted = CASES[case]
    model = dlspec.loads(f"{BLOCKS}{HEAD}{body} }}").model("Net")
    code = model.code("torch")
    assert wanted in code
    assert wanted or " for " not in code

    random = np.random.default_rng(0)
    given = {"x": random.standard_normal((2, 4), "f4"), "states": random.standard_normal((3, 2, 4), "f4")}
    inputs = {value.name: given[value.name] for value in model.graph.inputs}
    weights = model.weights()
    exact = run(model.program, model.program.models["Net"], inputs, weights)

    import torch

    net = model.torch(weights)
    with torch.inference_mode():
        found = net(*map(torch.from_numpy, inputs.values()))
    results = found if isinstance(found, tuple) else (found,)
    for result, (name, array) in zip(results, exact.items(), strict=True):
        np.testing.assert_allclose(result.numpy(), array, atol=1e-6, err_msg=name)
