"""The parser that Lark makes of `grammar/dlspec.lark`, kept in the user's cache folder between runs."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec._data import data_path
from dlspec.syntax.build import Builder

if TYPE_CHECKING:
    from lark import Lark


@cache
def parser() -> tuple[Lark, Builder]:
    """The parser and the builder that it calls. Lark is imported here, at the first parse."""
    import lark

    text = (data_path("grammar") / "dlspec.lark").read_text(encoding="utf-8")
    builder = Builder()

    key = hashlib.sha256("\0".join([text, lark.__version__, sys.version]).encode()).hexdigest()[:24]
    folder = _cache_folder()
    made = lark.Lark(
        text,
        parser="lalr",
        lexer="contextual",
        transformer=builder,  # any object with methods named after the rules will do
        keep_all_tokens=True,  # first and last child give every node its span
        # Lark makes the parser anew, without a word, if the file is missing, damaged or only half written yet.
        cache=str(folder / f"grammar-{key}.bin") if folder else False,
    )
    return made, builder


def _cache_folder() -> Path | None:
    """A folder that only this user can write (Lark's cache is a pickle), or None."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        if not root.is_absolute():
            return None
        folder = root / "dlspec"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return None
    mine = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
    private = os.name == "nt" or not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    usable = stat.S_ISDIR(facts.st_mode) and mine and private and os.access(folder, os.W_OK)
    return folder if usable else None
