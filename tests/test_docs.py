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
from dlspec.zoo import gallery

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
    """After a change of a spec: `make gallery ONLY=group/name`; of the printer: `python scripts/gallery.py`."""
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    record = json.loads((DOCS / "gallery" / "zoo.json").read_text(encoding="utf-8"))
    fine = [row for row in record if row["errors"] and not row["failures"]]
    compared = {f"{row['spec']}:{row['model']}" for row in fine}
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| [")
    ]
    for entry, cells in zip(gallery(), rows, strict=True):
        assert str(entry) in compared
        summary = dlspec.load(entry.path).model(entry.model).summary()
        macs = f"{summary.macs:,}" if isinstance(summary.macs, int) else "[symbolic]"
        assert cells[1:3] == [entry.model, f"{summary.parameters:,}"]
        assert cells[3].startswith(macs)
        assert cells[4].split()[0] == str(len(entry.path.read_text("utf-8").splitlines()))
        name = f"{entry.spec.replace('/', '-')}-{entry.model}.svg"
        assert f"](gallery/{name})" in page
        assert (DOCS / "gallery" / name).is_file()


def test_the_page_of_operators_is_up_to_date() -> None:
    command = [sys.executable, "scripts/operators_page.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
