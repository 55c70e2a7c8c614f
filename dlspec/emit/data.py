"""Printing a data set as ``data.py``: NumPy only, the same for every framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from dlspec._data import data_path
from dlspec.diagnostics import fail
from dlspec.elaborate.sources import SourceError, source_arguments, source_kind
from dlspec.elaborate.synthetic import generators
from dlspec.emit.augmentation import print_augmentation, snippets
from dlspec.emit.buckets import bucket_constants, bucket_settings
from dlspec.emit.code import Code, comment_text, literal, quoted, sequence
from dlspec.emit.environment import print_environment
from dlspec.emit.function import print_function
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.manifest import Backend, load_backend
from dlspec.emit.splits import print_split
from dlspec.emit.streaming import IMPORTS as STREAM_IMPORTS
from dlspec.emit.streaming import print_moments, stream_settings
from dlspec.emit.templates import environment, expressions
from dlspec.emit.texts import cut_by_tokens, text_column, text_constants, text_imports, text_settings
from dlspec.emit.wrap import tidy
from dlspec.ir.data import DataSet
from dlspec.ir.graph import Program
from dlspec.ir.types import TensorType

IMPORTS = (
    "import hashlib", "import math", "import numpy as np",
    "from collections.abc import Iterator", "from functools import cache",
)  # fmt: skip

WINDOWS = ("from numpy.lib.stride_tricks import sliding_window_view",)
LAST_WORDS = {
    "keep": "the last batch may be small",
    "drop": "in training, what fills no batch is left out",
    "fill": "in training, the last batch is filled up",
}


def print_data(program: Program, data: DataSet) -> str:
    """The text of ``data.py``. Raises `SpecError` (DLS0704) for a source that cannot be read."""
    if data.environment is not None:
        return print_environment(data)
    numpy = load_backend("numpy")
    source, printed_split = _Source(data, numpy), print_split(data)
    columns = [] if cut_by_tokens(data) else source.columns
    split_constants = printed_split.pop("constants")
    prepare, helpers = _prepare(program, data, data.prepare, numpy) if data.prepare else ("", ())
    body = (
        environment()
        .get_template("common/data.py.jinja")
        .render(
            title=comment_text(data.doc or data.name),
            name=quoted(data.name),
            seed=literal(data.seed),
            **printed_split,
            constants=[*split_constants, *text_constants(data), *bucket_constants(data)],
            last_batch=data.last_batch,
            shuffled=data.shuffle,
            last_words=LAST_WORDS[data.last_batch],
            helpers=[*source.helpers(), *(split_imports(numpy.snippets[name])[1] for name in helpers)],
            read=source.read(),
            columns=columns,
            numbers=any(column["values"].startswith("column(") for column in columns),
            **text_settings(data),
            blocks=cut_by_tokens(data),
            **stream_settings(data, columns),
            prepare=prepare,
            statistics=_statistics(program, data, numpy) if data.statistics else "",
            augment=print_augmentation(data),
            windows=data.windows,
            bucket=bucket_settings(data),
            loaded=_loaded(data),
        )
    )
    head, _, rest = body.partition("#: imports\n")
    lines = [
        *IMPORTS,
        *(WINDOWS if data.windows else ()),
        *text_imports(data),
        *source.imports(),
    ]
    imports = needed(rest, {**numpy.imports, **(STREAM_IMPORTS if data.stream else {})})
    return tidy(f"{head}{block([*lines, *imports])}\n{rest}")


def _loaded(data: DataSet) -> str:
    """The expression of what `load` gives, of the examples as the source has them."""
    made = "examples(split)"
    stages = {
        "numbered": data.categories,
        "encode": data.vocabulary,
        "prepare": data.prepare,
        "windows": data.windows,
    }
    for name, given in stages.items():
        made = f"{name}({made})" if given else made
    return made


def _prepare(program: Program, data: DataSet, key: str, numpy: Backend) -> tuple[str, tuple[str, ...]]:
    """The body of the preparation, and the helpers that it needs; columns that it passes on stay as they are."""
    graph = program.graphs[key]
    inputs = {value.name for value in graph.inputs}
    changed = tuple(o for o in graph.outputs if o.value != o.name or o.name not in inputs)
    if not changed:
        return "", ()
    graphs = {**program.graphs, key: graph.model_copy(update={"outputs": changed})}
    function = print_function(program.model_copy(update={"graphs": graphs}), key, numpy)
    returned = ", ".join(f"{quoted(name)}: {value}" for name, value in function.results.items())
    columns = {n: v for n, v in function.columns.items() if n in data.columns}
    taken = {n: v for n, v in function.columns.items() if n not in data.columns}
    unpacked = [
        *replace(function, columns=columns).unpacked("columns", 4),
        *(f"{variable} = statistics()[{quoted(name)}]" for name, variable in taken.items()),
    ]
    lines = [*unpacked, *function.lines, f"return {{**columns, {returned}}}"]
    return "\n".join(lines), function.needs


def _statistics(program: Program, data: DataSet, numpy: Backend) -> str:
    """The body of the function that computes what the preparation takes from the training split."""
    if data.stream:
        return print_moments(data, numpy.values["dtype"])
    key = data.statistics
    assert key is not None
    function = print_function(program, key, numpy)
    returned = ", ".join(f"{quoted(name)}: {value}" for name, value in function.results.items())
    lines = ['columns = examples("train")', *function.unpacked("columns", 4), *function.lines]
    return "\n".join([*lines, f"return {{{returned}}}"])


class _Source:
    """One kind of source, filled in for a data set."""

    def __init__(self, data: DataSet, numpy: Backend) -> None:
        self.data, self.numpy = data, numpy
        try:
            self.values = source_arguments(data.source)
            self.kind = source_kind(data.source, data.stream is not None, bool(data.categories or data.texts))
        except SourceError as error:
            raise fail("DLS0704", error.message) from None
        self.read_columns = {name: kind for name, kind in data.stored().items() if name not in data.bytes}
        first, length = next(iter(self.read_columns)), next(iter(self.read_columns.values())).size
        self.values |= {"first": first, "length": length, "ahead": len(self.read_columns) - 1}
        self.values["total"] = sum(self._width(name, kind) for name, kind in self.read_columns.items())
        self._environment = expressions(numpy.values)

    def imports(self) -> list[str]:
        """The import lines that only this kind needs."""
        lines = [self._fill(line, self.values) for line in self.kind.get("imports", ())]
        return [*lines, *(line for text in self._snippets for line in split_imports(text)[0])]

    def helpers(self) -> list[str]:
        """Functions that reading it takes."""
        return [split_imports(text)[1] for text in self._snippets]

    @cached_property
    def _snippets(self) -> list[str]:
        return [*self._reading(), *snippets(self.data)]

    def _reading(self) -> list[str]:
        if cut_by_tokens(self.data):
            return []
        if self.data.source.kind == "synthetic":
            return [generators()[self.values["name"]].text]
        folder = data_path("backends") / "common" / "snippets"
        called = " ".join([self.read(), *(column["values"] + column["source"] for column in self.columns)])
        used = [name for name in (*self.kind.get("helpers", ()), "codes") if f"{name}(" in called.lower()]
        used += ["moments"] if self.data.stream and self.data.moments else []
        return [(folder / f"{name}.py").read_text("utf-8") for name in used]

    def read(self) -> str:
        """The statements that read everything."""
        cut = self.kind.get("blocks" if cut_by_tokens(self.data) else "pieces", "")
        parts = [self._fill(part, self.values).strip("\n") for part in (self.kind["read"], cut) if part]
        return Code("\n".join(parts))

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """The columns that are read: name, type, the expression of what the source has, and of the column."""
        start, last, found = 0, list(self.read_columns)[-1], []
        for number, (name, kind) in enumerate(self.read_columns.items()):
            size, shape = self._size(name, kind), sequence([literal(dim) for dim in kind.shape])
            width = self._width(name, kind)
            is_target = "target" in self.kind and name == last and len(self.read_columns) > 1
            template = self.kind["target" if is_target else "column"]
            values = {"name": name, "start": start, "stop": start + width, "size": size, "number": number}
            values |= {"shape": shape, "text": name in (*self.data.categories, *self.data.texts)}
            source = self._fill(template, {**self.values, **values})
            dtype = self.numpy.values["dtype"][kind.dtype]
            as_numbers = Code(f"column({quoted(name)}, {source}, {dtype}, {shape})")
            found.append(
                {
                    "name": quoted(name),
                    "source": source,
                    "dtype": dtype,
                    "shape": shape,
                    "values": text_column(self.data, name, kind, source) or as_numbers,
                }
            )
            start += width
        return found

    def _width(self, name: str, kind: TensorType) -> int:
        """How many values of a row it takes."""
        return 1 if name in self.data.texts else self._size(name, kind)

    def _size(self, name: str, kind: TensorType) -> int:
        if not isinstance(kind.size, int) or kind.dtype not in self.numpy.values["dtype"]:
            raise fail("DLS0704", f"column `{name}` of {self.data.name} cannot be read as {kind}")
        return kind.size

    def _fill(self, template: str, values: Mapping[str, Any]) -> Code:
        return Code(self._environment.from_string(template).render(values))
