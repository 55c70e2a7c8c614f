"""`import "file.dls"`: files inside the project's tree only, each read once, no cycles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dlspec._data import data_path
from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.session import Session
from dlspec.elaborate.values import POISON, Scope
from dlspec.syntax import tree
from dlspec.syntax.parser import parse_file
from dlspec.syntax.source import Span

ROOT_MARKERS = ("dlspec.toml", ".git", "pyproject.toml")
MAX_FILES = 1_000
LIBRARY = "std/"
"""How the path of an import from the standard library begins; it has no `.dls` at its end."""


def project_root(path: Path) -> Path:
    """The folder that imports may not leave: the nearest one with a project marker, else the spec's own.

    Of the specs that dlspec ships it is the folder of them all.
    """
    shipped = Path(str(data_path("specs"))).resolve()
    if path.resolve().is_relative_to(shipped):
        return shipped
    folder = path.resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return candidate
    return folder


def declare_all(
    file: tree.File, path: Path | None, session: Session, declare: Callable[[tree.File, Scope], None]
) -> Scope:
    """The scope of a file: what it imports, then what it declares. Imported files have scopes of their own."""
    return _Loader(session, project_root(path) if path else None, declare).load(file, path, [])


class _Loader:
    def __init__(
        self, session: Session, root: Path | None, declare: Callable[[tree.File, Scope], None]
    ) -> None:
        self.session, self.root, self.declare = session, root, declare
        self.done: dict[Path, Scope] = {}

    def load(self, file: tree.File, path: Path | None, chain: list[Path]) -> Scope:
        scope = Scope()
        here = [*chain, path.resolve()] if path else chain
        for item in file.items:
            if isinstance(item, tree.Import):
                try:
                    self._import(item, path, here, scope)
                except SpecError as error:
                    self.session.report(error)
                    scope.incomplete = scope.incomplete or item.names is None
                    for name in item.names or []:
                        scope.names.setdefault(name.id, POISON)
        self.declare(file, scope)
        return scope

    def _import(self, item: tree.Import, path: Path | None, chain: list[Path], scope: Scope) -> None:
        target = self._resolve(item.path, path)
        if target in chain:
            names = " -> ".join(p.name for p in (*chain[chain.index(target) :], target))
            raise fail(
                "DLS0602", f"these files import each other: {names}", item.path.span, "closes the circle"
            )
        if target not in self.done:
            if len(self.done) >= MAX_FILES:
                raise fail(
                    "DLS0603", f"a spec imports at most {MAX_FILES:,} files", item.path.span, "one too many"
                )
            self.done[target] = self.load(parse_file(target), target, chain)
        _bind(item, self.done[target], scope)

    def _resolve(self, written: tree.String, path: Path | None) -> Path:
        text = written.value
        library = _library()
        if text.startswith(LIBRARY) and not text.endswith(".dls"):
            return _library_file(library, text, written.span)
        root = library if path is not None and path.resolve().is_relative_to(library) else self.root
        if path is None or root is None:
            raise fail("DLS0607", "a spec that is not a file cannot import", written.span, "relative to what?",
                       "save it as a file, and load that")  # fmt: skip
        if Path(text).is_absolute() or "\\" in text or "\0" in text or ":" in text:
            raise fail("DLS0606", "an import must be a relative path with `/`", written.span, "not relative",
                       'write it as seen from this file: `import "parts/file.dls"`')  # fmt: skip
        target = (path.resolve().parent / text).resolve()
        if not target.is_relative_to(root):
            raise fail("DLS0604", "an import may not leave the project's folder", written.span, "leads outside",
                       "the project is the nearest folder with `dlspec.toml`, `.git` or `pyproject.toml`")  # fmt: skip
        if target.suffix != ".dls" or not target.is_file():
            near = [p.stem for p in target.parent.glob("*.dls")] if target.parent.is_dir() else []
            guess = closest(target.stem, near)
            hint = f'did you mean "{text[: text.rfind("/") + 1]}{guess}.dls"?' if guess else None
            if target.suffix != ".dls":
                hint = "the name of a spec ends in `.dls`"
            raise fail("DLS0601", f'there is no spec "{text}"', written.span, "not found", hint)
        return target


def _library() -> Path:
    """The folder of the standard library."""
    return Path(str(data_path("specs") / "std")).resolve()


def _library_file(library: Path, text: str, span: Span) -> Path:
    """`"std/resnet"`: a file of the standard library, by its name alone."""
    name = text.removeprefix(LIBRARY)
    known = sorted(path.stem for path in library.glob("*.dls"))
    if name in known:
        return library / f"{name}.dls"
    guess = closest(name, known)
    hint = f'did you mean "{LIBRARY}{guess}"?' if guess else f"it has {', '.join(known)}"
    raise fail("DLS0601", f'the standard library has no "{text}"', span, "not found", hint)


def _bind(item: tree.Import, imported: Scope, scope: Scope) -> None:
    """Bring the names asked for into scope (all that the file declares, when none are named)."""
    known = list(imported.names)
    scope.incomplete = scope.incomplete or (item.names is None and imported.incomplete)
    for wanted in [n.id for n in item.names] if item.names is not None else known:
        if wanted in imported.names:
            scope.define(wanted, imported.names[wanted], imported.spans.get(wanted))
    missing = [n for n in item.names or [] if n.id not in imported.names and not imported.incomplete]
    if missing:
        raise SpecError([_not_there(item, name, known) for name in missing])


def _not_there(item: tree.Import, name: tree.Name, known: list[str]) -> Diagnostic:
    guess = closest(name.id, known)
    listing = ", ".join(f"`{k}`" for k in known) or "nothing"
    hint = f"did you mean `{guess}`?" if guess else f"it defines {listing}"
    return Diagnostic(
        "DLS0605", f'"{item.path.value}" defines no `{name.id}`', name.span, "not there", hint=hint
    )
