"""The import block of a printed file: what its code mentions, merged and sorted as `ruff` sorts it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

_NOT_CODE = re.compile(r'"""(?s:.*?)"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')


def needed(code: str, imports: Mapping[str, str]) -> list[str]:
    """The import lines whose pattern occurs in `code`, outside of strings and comments."""
    bare = _NOT_CODE.sub('""', code)
    return [line for pattern, line in imports.items() if re.search(pattern, bare)]


def block(lines: Iterable[str]) -> str:
    """Import lines as one sorted block."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for line in lines:
        for part in line.splitlines():
            if part.startswith("from "):
                module, _, names = part[5:].partition(" import ")
                members.setdefault(module, set()).update(
                    n.strip(" ()") for n in names.split(",") if n.strip(" ()")
                )
            elif part.strip():
                plain.add(part.removeprefix("import ").strip())
    sections: dict[int, tuple[list[str], list[str]]] = {}
    for name in sorted(plain, key=str.lower):
        sections.setdefault(_section(name), ([], []))[0].append(f"import {name}")
    for module in sorted(members, key=str.lower):
        lines = sections.setdefault(_section(module), ([], []))[1]
        lines.extend(f"from {module} import {', '.join(names)}" for names in _statements(members[module]))
    return "\n\n".join("\n".join([*straight, *froms]) for _, (straight, froms) in sorted(sections.items()))


def _statements(members: Iterable[str]) -> list[list[str]]:
    """The members in the order of their statements: each that gets another name has one to itself."""
    plain = sorted((name for name in members if " as " not in name), key=_member_order)
    groups = [[name] for name in members if " as " in name] + ([plain] if plain else [])
    return sorted(groups, key=lambda names: _member_order(names[0]))


def split_imports(text: str) -> tuple[list[str], str]:
    """The import lines at the top of a helper, and the rest of it."""
    lines = text.splitlines()
    count = 0
    while count < len(lines) and re.match(r"(import |from .* import |\s*$)", lines[count]):
        count += 1
    return [line for line in lines[:count] if line.strip()], "\n".join(lines[count:]).strip("\n")


def _section(name: str) -> int:
    root = re.split(r"[ .]", name, maxsplit=1)[0]
    if root == "__future__":
        return 0
    if not root:
        return 3
    return 1 if root in sys.stdlib_module_names else 2


def _member_order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions."""
    own = name.partition(" as ")[0]
    kind = 0 if own.isupper() and len(own) > 1 else 1 if own[:1].isupper() else 2
    return kind, own
