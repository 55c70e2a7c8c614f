"""What cannot be read is told where the spec declares it, with what would help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.runtime.data_check import check_data

SPEC = """
data D {
  source  = SOURCE
  columns = { COLUMNS }
  split   = { train: 0.8, test: 0.2 }
}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table, arrays and an empty folder, which commands are called in."""
    monkeypatch.chdir(tmp_path)
    rows = ["height,kind", *(f"{n},{'ash' if n % 2 else 'oak'}" for n in range(20))]
    (tmp_path / "trees.csv").write_text("\n".join(rows))
    np.savez("trees.npz", height=np.ones(20), image=np.ones((20, 8, 6, 3)))
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("source", "columns", "message", "at", "hint"),
    [
        ('npz("trees.npz")', "hight: f32", "hight: the source has no such column, only height, image",
         "hight: f32", "did you mean `height`?"),
        ('csv("trees.csv", named = true)', "hight: f32", "hight: the table has no such column, only height, kind",
         "hight: f32", "did you mean `height`?"),
        ('csv("trees.csv", named = true)', "kind: i64", "kind: could not", "kind: i64", "declared `category(n)`"),
        ('csv("trees.csv", named = true)', "kind: category(1)", "has 2 categories, not 1", "kind: category(1)",
         "write `category(2)`"),
        ('npz("trees.npz")', "image: f32[3, 8, 6]", "has shape [8, 6, 3]", "image: f32[3, 8, 6]",
         "`image = transpose(image, axes = [0, 3, 1, 2])`"),
        ('npz("tress.npz")', "height: f32", "`tress.npz` does not exist", 'npz("tress.npz")', "relative to the folder"),
        ('images("fotos")', "image: f32[3, 8, 8]", "`fotos` does not exist", 'images("fotos")', "relative"),
        ('images("photos")', "image: f32[3, 8, 8]", "`photos` has no images", 'images("photos")', "photos/CLASS/FILE"),
    ],
)  # fmt: skip
def test_where_and_what_helps(
    source: str, columns: str, message: str, at: str, hint: str, here: Path
) -> None:
    path = here / "net.dls"
    path.write_text(SPEC.replace("SOURCE", source).replace("COLUMNS", columns))
    program = load_program(path)
    with pytest.raises(SpecError) as caught:
        check_data(program, program.data["D"])
    found = caught.value.diagnostics[0]
    assert found.code == "DLS0704"
    assert message in found.message
    assert found.span is not None
    assert found.span.text == at
    assert hint in (found.hint or "")


def test_a_column_of_parquet(here: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    pq.write_table(pa.table({"height": [1.0] * 9}), "trees.parquet")
    path = here / "net.dls"
    path.write_text(SPEC.replace("SOURCE", 'parquet("trees.parquet")').replace("COLUMNS", "hight: f32"))
    program = load_program(path)
    with pytest.raises(SpecError, match="hight: the source has no such column, only height"):
        check_data(program, program.data["D"])


def test_a_spec_that_has_gone_has_no_place(here: Path) -> None:
    path = here / "net.dls"
    path.write_text(SPEC.replace("SOURCE", 'npz("none.npz")').replace("COLUMNS", "x: f32"))
    program = load_program(path)
    path.unlink()
    with pytest.raises(SpecError, match="does not exist") as caught:
        check_data(program, program.data["D"])
    assert caught.value.diagnostics[0].span is None
