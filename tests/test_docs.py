"""What the documentation says is so: its examples are checked, its generated pages are up to date."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dlspec
from dlspec.elaborate.declarations import LATER
from dlspec.zoo import entries

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LANGUAGE = (DOCS / "language.md").read_text(encoding="utf-8") if DOCS.is_dir() else ""


def examples(kind: str) -> list[str]:
    """The code blocks of a kind in the language reference."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", LANGUAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", examples("dls"))
def test_examples_are_fine(text: str) -> None:
    dlspec.loads(text)


@pytest.mark.parametrize("text", examples("dls-error"))
def test_wrong_examples_have_the_error_that_they_name(text: str) -> None:
    with pytest.raises(dlspec.SpecError) as error:
        dlspec.loads(text)
    assert [d.code for d in error.value.diagnostics] == [text.split()[1]]


def test_every_setting_that_is_refused_is_listed() -> None:
    listed = set(re.findall(r"\w+", LANGUAGE.partition("## Not yet")[2]))
    assert set().union(*LATER.values()) - {"quantise"} <= listed


def test_python_examples_run() -> None:
    pytest.importorskip("onnxruntime")
    done = doctest.testfile(str(DOCS / "python-api.md"), module_relative=False)
    assert done.attempted > 10
    assert done.failed == 0


def test_the_gallery_shows_every_model_as_it_is() -> None:
    """`make gallery` after a change of the zoo (`ONLY=group/name` for one spec) writes page, drawings and record."""
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    record = json.loads((DOCS / "gallery" / "zoo.json").read_text(encoding="utf-8"))
    rows = {f"{row['spec']}:{row['model']}": row for row in record}
    assert list(rows) == [str(entry) for entry in entries()]
    for entry in entries():
        row, summary = rows[str(entry)], dlspec.load(entry.path).model(entry.model).summary()
        macs = summary.macs if isinstance(summary.macs, int) else str(summary.macs)
        assert (row["parameters"], row["macs"]) == (summary.parameters, macs), str(entry)
        assert row["lines"] == len(entry.path.read_text("utf-8").splitlines()), str(entry)
        assert not row["failures"], str(entry)
        name = f"{entry.spec.replace('/', '-')}-{entry.model}.svg"
        assert f"](gallery/{name})" in page
        assert (DOCS / "gallery" / name).is_file()
    cells = [line for line in page.splitlines() if line.startswith("| [")]
    assert [cell.split("|")[3].strip() for cell in cells] == [f"{row['parameters']:,}" for row in record]


def test_the_page_of_operators_is_up_to_date() -> None:
    command = [sys.executable, "scripts/operators_page.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
