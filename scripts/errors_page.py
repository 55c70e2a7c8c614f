"""Writes docs/errors.md from the catalogue of errors, or with ``--check`` compares it with what is there."""

from __future__ import annotations

import argparse
import re
import sys
from itertools import groupby
from pathlib import Path

from dlspec.diagnostics import SpecError
from dlspec.diagnostics.catalogue import Entry, entries
from dlspec.diagnostics.render import render_all
from dlspec.elaborate.program import elaborate
from dlspec.syntax.parser import parse_text

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

FAMILIES = {
    "01": "Syntax",
    "02": "Names and arguments",
    "03": "Shapes and types",
    "04": "Blocks and structure",
    "05": "Data, training, export",
    "06": "Imports and limits",
    "07": "Backends and runs",
    "08": "Command line",
}

OPENING = """\
# Errors

<!-- Written by scripts/errors_page.py from grammar/errors/*.toml: change those, and run it again. -->

Every error has a code that never changes its meaning. It is told with the place, the other places that matter, and a
hint where there is one; all independent errors of a spec are told together. `dlspec explain DLS0301` shows an entry of
this page in the terminal, `dlspec check --json` gives errors as data.

{example}
"""


def page() -> str:
    """The whole page: an index by family, then every entry."""
    families = [(key, list(group)) for key, group in groupby(entries().values(), key=lambda e: e.code[3:5])]
    index = "\n".join(_index(FAMILIES[key], found) for key, found in families)
    body = "\n".join(f"## {FAMILIES[key]}\n\n" + "\n".join(map(_entry, found)) for key, found in families)
    opening = OPENING.replace("{example}", _block(_told(entries()["DLS0301"])))
    return re.sub(r"\n{3,}", "\n\n", f"{opening}\n{index}\n{body}").rstrip() + "\n"


def _told(entry: Entry) -> str:
    """How the error of an entry's example is told."""
    try:
        elaborate(parse_text(entry.fails.lstrip("\n"), name="net.dls"), None)
    except SpecError as error:
        return render_all(error.diagnostics)
    raise AssertionError(f"the example of {entry.code} is fine")


def _index(family: str, found: list[Entry]) -> str:
    rows = "\n".join(f"| [{entry.code}](#{entry.code.lower()}) | {_cell(entry.title)} |" for entry in found)
    return f"**{family}**\n\n| code | what is wrong |\n| --- | --- |\n{rows}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _entry(entry: Entry) -> str:
    files = "".join(f"where `{name}` is\n\n{_block(text)}\n" for name, text in entry.files.items())
    return (
        f'### <a id="{entry.code.lower()}"></a>{entry.code}: {entry.title}\n\n{entry.why.strip()}\n\n'
        f"This fails:\n\n{_block(entry.fails)}\nThis works:\n\n{_block(entry.works)}\n{files}"
    )


def _block(text: str) -> str:
    return f"```\n{text.strip(chr(10))}\n```\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing, exit 1 where the page is out of date"
    )
    text = page()
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/errors.md is out of date: python scripts/errors_page.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
