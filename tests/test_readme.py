"""The README shows what is really there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else ""


def without_opening_comments(text: str) -> str:
    return re.sub(r"\A(#.*\n|\n)+", "", text)


def test_shown_specs_are_those_of_the_repository():
    shown = re.findall(r"^```\n# (specs/\S+\.dls)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown
    for path, text in shown:
        assert without_opening_comments(text) == without_opening_comments(
            (ROOT / path).read_text(encoding="utf-8")
        )


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
