"""Writes docs/operators.md from the operators themselves, or with ``--check`` says whether it is up to date."""

from __future__ import annotations

import argparse
import inspect
import itertools
import re
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from dlspec.elaborate.arithmetic import TENSOR_OPERATORS
from dlspec.elaborate.lookup import HIDDEN_OPERATORS
from dlspec.emit.manifest import load_backend
from dlspec.ir.dims import Symbolic
from dlspec.ir.op import Init, Op
from dlspec.ir.types import DTYPES, parse_type
from dlspec.ops import MODULES, operators
from dlspec.ops.optimizers import optimizers

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operators.md"
BACKENDS = ("torch", "keras", "onnx")
MARKS = {"always": "✓", "sometimes": "(✓)", "never": "-"}

HEAD = """\
# Operators

<!-- Written by `python scripts/operators_page.py` from dlspec/ops. Do not edit: change the operators. -->

Everything that a spec can call, {count} operators in all. How they are put together: [the language](language.md).

- A name with a **capital** letter makes a layer with state of its own where it is written: `x -> Linear(10)`. A small
  letter is a pure function: `softmax(x, axis = 1)`, or `x -> softmax(axis = 1)`.
- Tensors come first, then arguments, by position or by name. An argument without a default must be given.
- Layers are channels first, `[N, C, ...]`; weights have PyTorch's layout, defaults and names.
- Marked is which backend prints an operator as one of its own: {always} always, {sometimes} in some cases,
  {never} never: there dlspec writes it with simpler operators. The numbers are the same.
- `axis` counts from the front, or from the back if negative; `keepdims` keeps reduced axes with length 1; `dtype` is
  the element type of the result; `stream` names a random stream (each place has its own where it is left out).

{index}
"""

# What arguments of a name mean wherever they occur; what is particular to one operator is in its own text.
MEANINGS = {
    "axes": "which axes, or how many of the last ones",
    "bias": "add a learned bias",
    "affine": "scale and shift by learned weights",
    "eps": "added where it is divided, so that it is never by 0",
    "weight_init": "how the weight is drawn first",
    "bias_init": "how the bias is drawn first",
    "recurrent_init": "how the recurrent weight is drawn first",
    "peepholes": "let the gates see the cell",
    "recurrent_bias": "add a second bias, beside W_hh h",
    "init": "how it is drawn first",
    "trainable": "false: fixed, but saved with the weights",
    "out_channels": "number of filters",
    "kernel_size": "size of the window, one for all axes or one each",
    "stride": "step of the window",
    "padding": "elements added around",
    "dilation": "distance between the elements of a window",
    "ceil_mode": "round the result's size up",
    "output_padding": "elements added to the result, at its end",
    "output": "what is given out",
    "shape": "sizes of the result; symbols such as `N` may be used",
    "reduction": "how the examples' losses become one; `none`: they do not",
    "reduce.reduction": "what becomes of the elements that fall together",
    "ignore_index": "a label that does not count",
    "p": "probability",
    "out_features": "length of the result's last axis",
    "classes": "length of the new axis",
    "pattern": "axes before and after `->`",
    "rearrange.sizes": "an axis that the pattern names so",
    "reduce.sizes": "an axis that the pattern names so",
    "groups": "how many groups of channels",
    "PReLU.init": "what the slope is first",
    "Parameter.shape": "its sizes",
}


def page() -> str:
    """The whole page."""
    sections = {module: text for module in MODULES if (text := _module(module))}
    index = " · ".join(f"[{name}](#{name})" for name in (*sections, "optimizers", "initialisers"))
    count = sum(name not in HIDDEN_OPERATORS for name in operators())
    head = HEAD.format(count=count, index=index, **MARKS)
    return "\n".join([head, *sections.values(), _optimizers(), _initialisers()])


def _module(module: str) -> str:
    """The section of a module: a table of what one row can say, then the other operators one by one."""
    found = [
        cls
        for name, cls in operators().items()
        if cls.__module__ == f"dlspec.ops.{module}" and name not in HIDDEN_OPERATORS
    ]
    if not found:
        return ""
    parts = [f"## {module}\n", _paragraphs(import_module(f"dlspec.ops.{module}").__doc__ or "")]
    small = [cls for cls in found if _is_small(cls)]
    if small:
        rows = [(_written(cls), _cell(cls.__doc__ or ""), _arguments(cls), _backends(cls)) for cls in small]
        parts.append(_table(("function", "meaning", "arguments", "torch keras onnx"), rows))
    seen: dict[Any, str] = {}
    parts += [_entry(cls, seen) for cls in found if cls not in small]
    return "\n".join(parts)


def _is_small(cls: type[Op]) -> bool:
    """Whether one row of a table says it all."""
    one_line = "\n" not in (cls.__doc__ or "").strip()
    return not cls.stateful and one_line and len(cls.model_fields) <= 3 and cls.extra_field is None


def _arguments(cls: type[Op]) -> str:
    """The types of a small function's arguments; common ones are told at the top of the page."""
    return "; ".join(f"`{k}` {_type(f)}" for k, f in cls.model_fields.items())


def _entry(cls: type[Op], seen: dict[Any, str]) -> str:
    name = cls.spec_name()
    parts = [f"### {name}\n", f"```\n{_signature(cls)}\n```\n", _paragraphs(cls.__doc__ or "")]
    rows = [
        ("NAME" if k == cls.extra_field else f"`{k}`", _type(f), _default(f), _meaning(name, k))
        for k, f in cls.model_fields.items()
    ]
    identity = tuple(rows)
    if identity in seen:
        parts.append(f"Arguments: as for [`{seen[identity]}`](#{seen[identity].lower()}).\n")
    elif rows:
        seen[identity] = name
        parts.append(_table(("argument", "type", "default", "meaning"), rows))
    weights = _weights(cls)
    native = " ".join(f"{b} {mark}" for b, mark in zip(BACKENDS, _backends(cls).split(), strict=True))
    parts.append((f"Weights: {weights}. " if weights else "") + f"Native: {native}\n")
    return "\n".join(parts)


def _meaning(operator: str, argument: str) -> str:
    return MEANINGS.get(f"{operator}.{argument}", MEANINGS.get(argument, ""))


def _written(cls: type[Op]) -> str:
    """A small function as it is written, with its sign where it has one."""
    signs = {name: sign for sign, name in TENSOR_OPERATORS.items()} | {"neg": "-", "logical_not": "not"}
    name, operands = cls.spec_name(), cls.operands
    call = f"`{_signature(cls)}`"
    if name not in signs:
        return call
    if len(operands) == 2:
        return f"`{operands[0]} {signs[name]} {operands[1]}`, {call}"
    return f"`{signs[name]}{' ' if signs[name].isalpha() else ''}{operands[0]}`, {call}"


def _signature(cls: type[Op]) -> str:
    fields = cls.model_fields.items()
    arguments = ["NAME = size, ..." if name == cls.extra_field else _argument(name, f) for name, f in fields]
    operands = [_operand(operand) for operand in cls.operands]
    if cls.stateful and operands:
        fed = operands[0] if len(operands) == 1 else f"({', '.join(operands)})"
        return _wrapped(f"{fed} -> {cls.spec_name()}(", arguments)
    return _wrapped(f"{cls.spec_name()}(", [*operands, *arguments])


def _argument(name: str, field: FieldInfo) -> str:
    return name if field.is_required() else f"{name} = {_literal(field)}"


def _operand(spec: str) -> str:
    if spec.startswith("*"):
        return f"{spec[1:-1]}1, {spec[1:-1]}2, ..."
    return f"[{spec[:-1]}]" if spec.endswith("?") else spec


def _wrapped(head: str, items: list[str], width: int = 100) -> str:
    lines, line = [], head
    for i, item in enumerate(items):
        piece = item + (", " if i + 1 < len(items) else ")")
        if len(line) + len(piece) > width:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += piece
    return "\n".join([*lines, line if items else line + ")"])


def _literal(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return default if default in DTYPES and isinstance(default, str) and _is_dtype(field) else _value(default)


def _value(value: Any) -> str:
    """A value as a spec writes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    return f"`{_literal(field)}`" if field.default_factory is None else ""


def _is_dtype(field: FieldInfo) -> bool:
    return set(get_args(field.annotation)) == set(DTYPES)


def _type(field: FieldInfo) -> str:
    words = list(dict.fromkeys(_words(field.annotation)))
    words = [w for w in words if not (w == "integer" and "number" in words)]
    limits = [f"{sign} {_value(getattr(m, key))}" for m in field.metadata
              for key, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")) if hasattr(m, key)]  # fmt: skip
    listing = ", ".join(words[:-1]) + " or " if len(words) > 1 else ""
    return listing + words[-1] + (f" {', '.join(limits)}" if limits else "")


# In the user's words.
WORDS: dict[Any, str] = {
    bool: "true or false", int: "integer", float: "number", str: "text", Symbolic: "size", Init: "initialiser",
    Any: "number or list",
}  # fmt: skip


def _words(annotation: Any) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield from (
            ["element type"] if set(arguments) == set(DTYPES) else [f"`{_value(a)}`" for a in arguments]
        )
    elif origin in (Union, types.UnionType):
        yield from ["size"] if Symbolic in arguments else [w for a in arguments for w in _words(a)]
    elif origin is tuple:
        inner = next(_words(arguments[0]))
        yield "list of pairs" if get_origin(arguments[0]) is tuple else f"list of {inner}s"
    elif origin is dict:
        yield "size"
    elif hasattr(annotation, "__metadata__"):
        yield from _words(arguments[0])
    elif annotation is not type(None):
        yield WORDS[annotation]


def _weights(cls: type[Op]) -> str:
    """The weights that it has in the first example that has any."""
    for arguments, operands in cls.examples:
        types = [parse_type(re.split(" [<>]", text)[0]) for text in operands]
        if specs := cls(**arguments).weights(*types):
            names = [
                "itself" if s.bare else f"`{s.name}`" + ("" if s.trainable else " (state)") for s in specs
            ]
            return ", ".join(names)
    return ""


def _backends(cls: type[Op]) -> str:
    return " ".join(MARKS[_native(backend, cls)] for backend in BACKENDS)


def _native(backend: str, cls: type[Op]) -> str:
    rows = load_backend(backend).rows.get(cls.spec_name(), ())
    return "never" if not rows else "always" if any(not row.when for row in rows) else "sometimes"


def _optimizers() -> str:
    parts = ["## optimizers\n", "What `optimizer = ...` and `step ... with ...` take; `g` is the gradient.\n"]
    for name, cls in optimizers().items():
        arguments = _wrapped(f"{name}(", list(itertools.starmap(_argument, cls.model_fields.items())))
        parts += [f"### {name}\n", f"```\n{arguments}\n```\n", _paragraphs(cls.__doc__ or "")]
    return "\n".join(parts)


def _initialisers() -> str:
    return f"## initialisers\n\nWhat `init`, `weight_init` and `bias_init` take.\n\n{_paragraphs(Init.__doc__ or '')}"


def _paragraphs(doc: str) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(doc).replace("``", "`") + "\n"


def _cell(doc: str) -> str:
    return " ".join(_paragraphs(doc).replace("|", "\\|").split())


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table, without the columns in which nothing stands."""
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells[i] for i in used)} |" for cells in lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the page is out of date"
    )
    options = parser.parse_args()
    text = page()
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.name} is out of date: run `make docs`")


if __name__ == "__main__":
    main()
