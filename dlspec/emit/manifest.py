"""Reading a backend's folder: which operators it has, under which names, and how it stores weights.

The manifest is data. What each key means is said in `Row` and `Backend`; an unknown key is an error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from dlspec._data import data_path
from dlspec.diagnostics import fail
from dlspec.emit.row import KINDS, MISSING, Keyword, NativeWeight, Row, look_up, mentioned
from dlspec.ir.gradients import INTERNAL
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.ops import operators


@dataclass(frozen=True, eq=False)
class Backend:
    """A backend's folder, read.

    language
        ``python`` or ``onnx``.
    layout
        ``channels_first`` or ``channels_last``: what its layers expect.
    passes
        named passes (`dlspec.passes`) that are run before printing.
    reserved, attributes
        names that generated code may not use for its own values, and for attributes of its classes.
    imports
        regular expression over the printed code: the import line that it needs.
    values
        tables from a field's value to the text that stands for it, such as element types.
    inits
        initialiser kind: a template over ``shape`` and ``args`` that makes a fresh tensor.
    redraws
        initialiser kind: a statement over ``weight`` and ``args`` that draws a layer's weight anew.
    options
        anything else the backend's own printer wants to know.
    own_imports
        regular expression over the printed code: the file of the project that it needs.
    """

    name: str
    folder: Traversable
    language: str
    layout: str
    passes: tuple[str, ...]
    reserved: frozenset[str]
    attributes: frozenset[str]
    imports: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    inits: Mapping[str, str]
    redraws: Mapping[str, str]
    options: Mapping[str, Any]
    rows: Mapping[str, tuple[Row, ...]]
    own_imports: Mapping[str, str] = field(default_factory=dict)

    def row(self, op: Op, types: tuple[TensorType | None, ...]) -> Row | None:
        """The first row that fits, or None: then the operator is decomposed."""
        rows = self.rows.get(op.spec_name())
        if not rows:
            return None
        if len(rows) == 1 and not rows[0].when:
            return rows[0]
        facts = op.facts(*types)
        return next((row for row in rows if row.fits(op, types, facts)), None)

    @cached_property
    def snippets(self) -> dict[str, str]:
        """Helpers that rows may need: name to text."""
        folder = self.folder / "snippets"
        found = folder.iterdir() if folder.is_dir() else ()
        return {f.name.rpartition(".")[0]: f.read_text("utf-8") for f in found if not f.name.startswith("_")}

    @cached_property
    def helper_names(self) -> frozenset[str]:
        """The names that the helpers define."""
        found = (re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE) for text in self.snippets.values())
        return frozenset(name for names in found for name in names)

    @cached_property
    def environment(self) -> Any:
        """The Jinja environment of this backend's templates."""
        from dlspec.emit.templates import environment

        return environment(self.folder)

    def template(self, name: str) -> Any:
        """The template in the file `name`, such as ``model.py.jinja``."""
        return self.environment.get_template(name)


@cache
def load_backend(name_or_path: str) -> Backend:
    """The backend in ``backends/NAME``, or in a folder anywhere. Raises `SpecError` (DLS0701)."""
    folder: Traversable = data_path("backends") / name_or_path
    if any(sign in name_or_path for sign in "/\\.") or not folder.is_dir():
        folder = Path(name_or_path)
    return _Reader(folder).read()


def read_rows(folder: Traversable, name: str) -> dict[str, tuple[Row, ...]]:
    """The rows of a file of a backend's folder that are for a special purpose. Raises `SpecError` (DLS0701)."""
    return _Reader(folder).rows(name)


@cache
def differentiable_twice(backend: Backend) -> Backend:
    """The backend for losses that take gradients.

    Its option ``twice`` names operators that it gives no second derivatives of, or wrong ones, and what is printed for
    each: a snippet with a class that takes the same arguments, or nothing, for what the operator is made of.
    """
    rows = dict(backend.rows)
    for name, snippet in backend.options.get("twice", {}).items():
        made = re.search(r"^class (\w+)", backend.snippets[snippet], re.MULTILINE) if snippet else None
        rows[name] = (
            tuple(replace(row, text=made[1], needs=(*row.needs, snippet)) for row in rows[name])
            if made
            else ()
        )
    return replace(backend, rows=rows)


__all__ = [
    "MISSING", "Backend", "Keyword", "NativeWeight", "Row", "differentiable_twice", "load_backend", "look_up",
    "mentioned", "read_rows",
]  # fmt: skip


class _Reader:
    """Reads one folder; `where` says in messages which part is being read."""

    BACKEND = frozenset({"name", "language", "layout", "passes", "reserved", "attributes"})
    TABLES = frozenset({"backend", "imports", "values", "inits", "redraws", "options", "ops"})
    ROW = frozenset(
        {*KINDS, "when", "args", "kwargs", "apply", "wrap", "results", "weights", "literals", "needs"}
    )

    def __init__(self, folder: Traversable) -> None:
        self.folder, self.where = folder, ""

    def read(self) -> Backend:
        data = self._toml(self.folder / "backend.toml")
        self._only(data, self.TABLES)
        head = data.get("backend", {})
        self._only(head, self.BACKEND)
        rows = dict(self._rows(data.get("ops", {})))
        for file in self._more():
            more = self._toml(file)
            self._only(more, frozenset({"ops"}))
            rows.update(self._rows(more["ops"]))
        return Backend(
            name=head.get("name") or self.folder.name,
            folder=self.folder,
            language=self._choice(head, "language", ("python", "onnx")),
            layout=self._choice(head, "layout", ("channels_first", "channels_last")),
            passes=tuple(head.get("passes", ())),
            reserved=frozenset(head.get("reserved", ())),
            attributes=frozenset(head.get("attributes", ())),
            imports=data.get("imports", {}),
            values=data.get("values", {}),
            inits=data.get("inits", {}),
            redraws=data.get("redraws", {}),
            options=data.get("options", {}),
            rows=rows,
        )

    def rows(self, name: str) -> dict[str, tuple[Row, ...]]:
        """The rows of one file."""
        data = self._toml(self.folder / name)
        self._only(data, frozenset({"ops"}))
        return dict(self._rows(data["ops"]))

    def _more(self) -> list[Traversable]:
        """Rows may be spread over ``ops/*.toml``."""
        folder = self.folder / "ops"
        return sorted(
            (f for f in (folder.iterdir() if folder.is_dir() else ()) if f.name.endswith(".toml")),
            key=lambda f: f.name,
        )

    def _toml(self, file: Traversable) -> dict[str, Any]:
        self.where = str(file)
        if not file.is_file():
            raise fail("DLS0701", f"there is no backend in `{self.folder}`: it has no {file.name}")
        try:
            return tomllib.loads(file.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise fail("DLS0701", f"{self.where} is not valid TOML: {error}") from None

    def _rows(self, ops: dict[str, Any]) -> Iterator[tuple[str, tuple[Row, ...]]]:
        file = self.where
        for name, given in ops.items():
            if name not in operators() and name not in INTERNAL:
                raise self._error(f"unknown operator `{name}`", name, operators())
            self.where = f"{file}: ops.{name}"
            yield name, tuple(self._row(name, row) for row in (given if isinstance(given, list) else [given]))
        self.where = file

    def _row(self, name: str, row: dict[str, Any]) -> Row:
        self._only(row, self.ROW)
        kinds = [kind for kind in KINDS if kind in row]
        if len(kinds) != 1:
            raise fail("DLS0701", f"{self.where}: needs exactly one of {', '.join(KINDS)}")
        kind = kinds[0]
        args = tuple(row.get("args", ()))
        kwargs = {key: self._keyword(value) for key, value in row.get("kwargs", {}).items()}
        templates = mentioned(row[kind], row.get("apply", ""))
        return Row(
            op=name,
            kind=kind,
            text=row[kind].strip("\n"),
            when=row.get("when", {}),
            args=args,
            kwargs=kwargs,
            apply=row.get("apply", ""),
            wrap=row.get("wrap", ""),
            results=row.get("results", ""),
            weights={key: _native(value) for key, value in row.get("weights", {}).items()},
            literals=row.get("literals", kind == "infix"),
            needs=tuple(row.get("needs", ())),
            sources=tuple(
                dict.fromkeys(
                    (*args, *(k.source for k in kwargs.values() if isinstance(k.source, str)), *templates)
                )
            ),
        )

    def _keyword(self, value: Any) -> Keyword:
        if not isinstance(value, list) or not 1 <= len(value) <= 2:
            raise fail("DLS0701", f'{self.where}: a keyword is ["source"], ["source", default] or [constant]')
        return Keyword(*value)

    def _choice(self, head: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
        value = head.get(key, allowed[0])
        if value not in allowed:
            raise self._error(f"{key} cannot be `{value}`", str(value), allowed)
        return str(value)

    def _only(self, table: Mapping[str, Any], allowed: frozenset[str]) -> None:
        for key in table:
            if key not in allowed:
                raise self._error(f"unknown key `{key}`", key, allowed)

    def _error(self, message: str, given: str, known: Any) -> Exception:
        near = get_close_matches(given, list(known), n=1)
        return fail(
            "DLS0701", f"{self.where}: {message}", hint=f"did you mean `{near[0]}`?" if near else None
        )


def _native(text: str) -> NativeWeight:
    name, colon, layout = text.partition(":")
    return NativeWeight(name.strip(), layout.strip() if colon else None)
