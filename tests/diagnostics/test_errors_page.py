"""The page of errors in the documentation is the one made of the catalogue."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dlspec.diagnostics.catalogue import entries

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).resolve().parents[2]


def test_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/errors_page.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_code_is_in_the_index_and_has_its_anchor() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(DLS\d{4})\]", page, re.MULTILINE) == list(entries())
    assert re.findall(r'<a id="(dls\d{4})">', page) == [code.lower() for code in entries()]
