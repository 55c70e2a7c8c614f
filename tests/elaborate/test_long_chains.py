"""Numbers remember where they came from, however long the chain is that they come through."""

from __future__ import annotations

import dlspec


def test_a_long_chain_of_blocks() -> None:
    spec = dlspec.loads(
        """
        block Grow(by) { input x: [N, D]  output concat(x, x -> Linear(by), axis = 1) }
        model Net(depth = 600) { input x: f32[N, 4]  for i in 0..depth { x = x -> Grow(2) }  output y = x }
        """
    )
    assert spec.model().graph.output_types()[0].shape[1] == 1204
    assert spec.model().code("torch").count("= Grow(") == 600
