"""The operators: one class each, found here by the name they have in a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files

from dlspec.ir.op import Op

# Every module of this folder that defines operators. A new module is added here and nowhere else.
MODULES: tuple[str, ...] = (
    "constants", "elementwise", "functions", "logic", "conversions", "activations", "piecewise", "softmax",
    "linear", "convolution", "transposed", "pooling", "adaptive_pooling", "normalization", "layer_norm",
    "recurrent", "resize", "attention", "reductions", "statistics", "ordering", "shaping", "expanding", "joining",
    "slicing", "padding", "indexing", "einops", "einsum", "random", "losses", "divergences", "metrics", "epoch",
)  # fmt: skip


@cache
def operators() -> dict[str, type[Op]]:
    """All operators by their name in a spec."""
    for module in MODULES:
        import_module(f"dlspec.ops.{module}")
    return {cls.spec_name(): cls for cls in _concrete(Op) if cls.__module__.startswith("dlspec.ops")}


@cache
def find_operator(name: str) -> type[Op] | None:
    """The operator of that name, or None; imports one module where `operators` imports all."""
    for module in _modules_of().get(_folded(name), ()):
        for cls in vars(import_module(f"dlspec.ops.{module}")).values():
            if isinstance(cls, type) and issubclass(cls, Op) and _is_named(cls, name):
                return cls
    return None


def operator(name: str) -> type[Op]:
    """The operator of that name; raises KeyError."""
    if name == "call":
        from dlspec.ir.graph import Call

        return Call
    from dlspec.ir.gradients import INTERNAL

    cls = INTERNAL.get(name) or find_operator(name)
    if cls is None:
        raise KeyError(name)
    return cls


@cache
def _modules_of() -> dict[str, list[str]]:
    """Which modules define a class that may have a name. Read from their text: making the classes is slow."""
    found: dict[str, list[str]] = {}
    for module in MODULES:
        source = (files("dlspec.ops") / f"{module}.py").read_text("utf-8")
        for name in re.findall(r"^class (\w+)\(", source, re.MULTILINE):
            found.setdefault(_folded(name), []).append(module)
    return found


def _folded(name: str) -> str:
    """A class's name and its name in a spec, written alike (`Any_` is `any`, `LogSoftmax` `log_softmax`)."""
    return name.replace("_", "").lower()


def _is_named(cls: type[Op], name: str) -> bool:
    return (
        not cls.__name__.startswith("_")
        and cls.__module__.startswith("dlspec.ops")
        and cls.spec_name() == name
    )


def _concrete(cls: type[Op]) -> Iterator[type[Op]]:
    """Subclasses that define their own documentation and are not named as a private base."""
    for sub in cls.__subclasses__():
        if not sub.__name__.startswith("_"):
            yield sub
        yield from _concrete(sub)
