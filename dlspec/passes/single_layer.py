"""Recurrent layers one at a time: a stack becomes a chain of single layers that give all of their results.

Backends with an operator for one layer print that one. The sequence or the last state is taken from the results
where the layer was asked for only these; weights keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.graph import Program
from dlspec.passes.replace import replace_operators

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

RECURRENT = ("RNN", "LSTM", "GRU")


def single_layer(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program with every recurrent operator of its graphs taken apart."""
    return replace_operators(program, dict.fromkeys(RECURRENT, _chain))


def _chain(b: Builder, op: Any, x: Any, *initial: Handle | None, **weights: Handle) -> Any:
    if op.layers == 1 and op.output == "all":
        return NotImplemented
    finals: list[list[Handle]] = []
    for layer in range(op.layers):
        span = slice(layer * op.directions, (layer + 1) * op.directions)
        starts = [s if s is None or op.layers == 1 else b.slice(s, index=(span,)) for s in initial]
        x, *states = _layer(b, op, layer, [x, *starts], weights)
        finals.append(states)
    if op.output == "sequence":
        return x
    if op.output == "last":
        return _last(b, finals[-1][0])
    return [x, *(b.concat(*states, axis=0) for states in zip(*finals, strict=True))]


def _layer(
    b: Builder, op: Any, layer: int, operands: list[Handle | None], weights: dict[str, Handle]
) -> list[Handle]:
    ways = ("", "_reverse")[: op.directions]
    own = {
        name.removesuffix(f"_l{layer}{way}") + f"_l0{way}": handle.name
        for way in ways
        for name, handle in weights.items()
        if name.endswith(f"_l{layer}{way}")
    }
    results = b.add(op.model_copy(update={"layers": 1, "output": "all"}), operands, name=f"layer{layer}")
    b.nodes[-1] = b.nodes[-1].model_copy(update={"weights": own})
    return results


def _last(b: Builder, states: Handle) -> Handle:
    """[directions, N, H] as [N, directions * H]."""
    ways, batch, hidden = states.type.shape
    result: Handle = b.reshape(b.transpose(states, axes=(1, 0, 2)), shape=(batch, ways * hidden))
    return result
