"""What is written into a box: the name of an operator or block, the arguments that matter, sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlspec.ir.dims import Dim
from dlspec.ir.graph import Graph
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType

MOST_SHAPES = 2  # of the results of one box
LONGEST = 14  # characters of an argument; longer ones are left out


def _times(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _one(value: Any) -> str:
    """A number for each axis as one number, where they are equal."""
    values = value if isinstance(value, (tuple, list)) else (value,)
    return str(values[0]) if len(set(values)) == 1 else _times(values)


# The arguments that are shown, in this order; the others are left to the spec.
_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "out_channels": str,
    "out_features": str,
    "hidden_size": str,
    "num_embeddings": str,
    "embedding_dim": str,
    "shape": _times,
    "kernel_size": _times,
    "output_size": _times,
    "stride": lambda value: f"/{_one(value)}",
    "dilation": lambda value: f"dilated {_one(value)}",
    "groups": lambda value: f"{value} groups",
    "layers": lambda value: f"{value} layers",
    "bidirectional": lambda value: "both ways",
    "causal": lambda value: "causal",
    "similarity": str,
    "scale": _one,
    "k": str,
}
_PLAIN = {"stride": 1, "dilation": 1, "groups": 1}
_SYMBOLS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "logical_and": "and", "logical_or": "or", "equal": "=",
    "less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "not_equal": "≠",
}  # fmt: skip


def operator_title(op: Op) -> str:
    """The name of an operator as a spec has it, arithmetic by its sign."""
    name = op.spec_name()
    return _SYMBOLS.get(name, name)


def operator_arguments(op: Op) -> str:
    """``64, 7x7, /2`` of a convolution."""
    fields = type(op).model_fields
    shown = []
    for name, write in _SHOWN.items():
        value = getattr(op, name, None)
        if name not in fields or value is None or value == fields[name].default or not _is_size(value):
            continue
        if name in _PLAIN and _one(value) == str(_PLAIN[name]):
            continue
        if name == "stride" and _one(value) == _one(getattr(op, "kernel_size", None)):
            continue  # pooling goes on by its window
        shown.append(write(value))
    return ", ".join(text for text in shown if len(text) <= LONGEST)


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, float, str)) or (isinstance(value, (tuple, list)) and len(value) <= 4)


def block_arguments(graph: Graph) -> str:
    """``64, stride 2``: what a block is given, but for defaults; the first without its name."""
    shown: list[str] = []
    for name, value in graph.params.items():
        text = _argument(value)
        if text is None or (name in graph.defaults and graph.defaults[name] == value):
            continue
        shown.append(text if not shown and not isinstance(value, bool) else f"{name} {text}")
    return ", ".join(shown)


def _argument(value: Any) -> str | None:
    """What says how a block is built: sizes, words and choices; rates such as of dropout do not."""
    if isinstance(value, (tuple, list)):
        if not all(isinstance(each, (int, float)) for each in value):
            return None
        text = f"[{', '.join(map(str, value))}]"
        return text if len(text) <= LONGEST + 8 else None
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if isinstance(value, (int, str)) and len(text) <= LONGEST else None


def shape_text(kinds: list[TensorType], batch: Dim | None) -> str:
    """Sizes without the batch: ``64 x 56 x 56``; several where they differ."""
    shapes = [kind.shape[1:] if kind.rank > 1 and kind.shape[0] == batch else kind.shape for kind in kinds]
    texts = list(dict.fromkeys(" × ".join(map(str, shape)) for shape in shapes))
    return ", ".join([*texts[:MOST_SHAPES], "…"] if len(texts) > MOST_SHAPES else texts)
