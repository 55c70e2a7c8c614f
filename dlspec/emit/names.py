"""Names of a spec as Python identifiers."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

KEYWORDS = frozenset(keyword.kwlist)
"""What no name may be, an attribute's neither."""
PYTHON = frozenset({*keyword.kwlist, *dir(builtins), "self"}) - {"_"}
"""What a variable may not be: keywords, and builtins that it would hide."""


def identifier(name: str, taken: Iterable[str] = PYTHON) -> str:
    """`name` as an identifier: ASCII, no leading double underscore, a trailing one if it is taken."""
    plain = unicodedata.normalize("NFKC", name)
    text = re.sub(
        r"\W", lambda m: f"u{ord(m[0]):x}", plain.replace("-", "_").replace(".", "_"), flags=re.ASCII
    )
    if not text or text[0].isdigit():
        text = f"v{text}"
    if text.startswith("__"):
        text = text.strip("_") or "v"
        text = text if not text[0].isdigit() else f"v{text}"
    while text in taken:
        text += "_"
    return text


class Names:
    """Distinct identifiers for distinct keys: the second ``x`` is ``x1``."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken = set(reserved)
        self.known: dict[str, str] = {}

    def __call__(self, key: str, base: str | None = None) -> str:
        """The identifier for `key`, made from `base` when it is first asked for."""
        if key not in self.known:
            self.known[key] = self.fresh(key if base is None else base)
        return self.known[key]

    def fresh(self, base: str) -> str:
        """A new identifier made from `base`."""
        name = stem = identifier(base)
        count = 1
        while name in self.taken:
            count += 1
            name = f"{stem}{count}"
        self.taken.add(name)
        return name
