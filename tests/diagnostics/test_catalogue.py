"""Each entry of the catalogue: its failing example gives its code and no other, the mended one is fine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dlspec
from dlspec.diagnostics import SpecError
from dlspec.diagnostics.catalogue import Entry, entries, explain

SPECS = [entry for entry in entries().values() if entry.shown_as == "spec"]
PACKAGE = Path(dlspec.__file__).parent


def codes(text: str, entry: Entry, folder: Path) -> set[str]:
    """The codes of the errors of an example, checked from end to end: as a text, or in a project of its own."""
    try:
        if entry.files or "import" in text:
            dlspec.load(_project(text, entry, folder))
        else:
            dlspec.loads(text)
    except SpecError as error:
        return {diagnostic.code for diagnostic in error.diagnostics}
    return set()


def _project(text: str, entry: Entry, folder: Path) -> Path:
    for name, content in {"dlspec.toml": "", "example.dls": text, **entry.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder / "example.dls"


@pytest.mark.parametrize("entry", SPECS, ids=lambda entry: entry.code)
def test_failing_example_has_this_error_only(entry: Entry, tmp_path: Path) -> None:
    assert codes(entry.fails, entry, tmp_path) == {entry.code}


@pytest.mark.parametrize("entry", SPECS, ids=lambda entry: entry.code)
def test_mended_example_is_fine(entry: Entry, tmp_path: Path) -> None:
    assert codes(entry.works, entry, tmp_path) == set()


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: entry.code)
def test_entry_is_complete(entry: Entry) -> None:
    assert entry.shown_as in ("spec", "words")
    assert entry.title
    assert not entry.title.endswith(".")
    assert len(entry.title) <= 80
    assert 60 <= len(entry.why.strip()) <= 800
    assert max(len(line) for line in entry.why.splitlines()) <= 120
    assert entry.fails.strip() != entry.works.strip()
    assert entry.as_dict()["code"] == entry.code


def test_specs_are_shown_as_specs() -> None:
    words = {entry.code for entry in entries().values() if entry.shown_as == "words"}
    assert {code for code in words if code < "DLS0700"} == {"DLS0111", "DLS0112", "DLS0607"}


def test_titles_differ() -> None:
    titles = [entry.title for entry in entries().values()]
    assert len(titles) == len(set(titles))


def test_explain() -> None:
    assert explain("dls0108").title == "Comparisons cannot be chained"
    with pytest.raises(KeyError):
        explain("DLS0000")


def test_every_code_is_explained_and_every_explanation_has_a_code() -> None:
    written = {code for file in PACKAGE.rglob("*.py") for code in _codes(file.read_text(encoding="utf-8"))}
    assert written == set(entries())


def _codes(text: str) -> set[str]:
    """The codes that a module raises: those that are strings of their own."""
    return set(re.findall(r'"(DLS\d{4})"', text))


def test_codes_stand_in_the_file_of_their_family() -> None:
    folder = Path(__file__).parents[2] / "grammar" / "errors"
    if not folder.is_dir():
        pytest.skip("needs the checkout")
    for file in folder.glob("*.toml"):
        found = re.findall(r"^\[(DLS\d{4})\]$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert found == sorted(found)
        assert {code[3:5] for code in found} == {file.name[:2]}
