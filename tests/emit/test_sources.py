"""Every kind of source reads what it is made for, and says which column it cannot read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.data import print_data
from dlspec.ir.data import DataSet, Source
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.data_check import check_data, with_sources
from dlspec.runtime.project import load_project


def described(kind: str, *args: Any, columns: dict[str, str], **options: Any) -> DataSet:
    types = {name: parse_type(written) for name, written in columns.items()}
    source = Source(kind=kind, args=args, options=options)
    return DataSet(name="Data", source=source, columns=types, split={"train": 1.0})


def read(kind: str, *args: Any, columns: dict[str, str], **options: Any) -> dict[str, np.ndarray]:
    data = described(kind, *args, columns=columns, **options)
    project = load_project({"data.py": print_data(Program(), data)})
    return dict(project.data.read())


def test_csv_by_name(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('height;"the; name";age\n1.5;x;3\n2.5;y;4\n')
    path = str(tmp_path / "rows.csv")
    found = read("csv", path, columns={"age": "i64", "height": "f32"}, named=True, delimiter=";")
    assert found["age"].tolist() == [3, 4]
    assert found["height"].tolist() == [1.5, 2.5]
    with pytest.raises(ValueError, match="weight: the table has no such column, only height"):
        read("csv", path, columns={"weight": "f32"}, named=True, delimiter=";")
    with pytest.raises(ValueError, match="height: not all values are of type int64"):
        read("csv", path, columns={"height": "i64"}, named=True, delimiter=";")


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"x": [[1.0, 2.0], [3.0, 4.0]], "label": [1, 0], "unused": ["a", "b"]})
    parquet.write_table(table, tmp_path / "rows.parquet")
    found = read("parquet", str(tmp_path / "rows.parquet"), columns={"label": "i64", "x": "f32[2]"})
    assert found["x"].tolist() == [[1, 2], [3, 4]]
    assert found["label"].tolist() == [1, 0]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    image = pytest.importorskip("PIL.Image")
    for folder, shade in (("cat", 10), ("dog", 200)):
        (tmp_path / folder).mkdir()
        for number in range(2):
            image.new("RGB", (6, 4), (shade, 0, number)).save(tmp_path / folder / f"{number}.png")
    (tmp_path / "list.csv").write_text("image,age\ndog/1.png,3\ncat/0.png,5\n")
    return tmp_path


def test_folder_of_images(pictures: Path) -> None:
    found = read("images", str(pictures), columns={"image": "u8[3, 4, 6]", "label": "i64"})
    assert found["label"].tolist() == [0, 0, 1, 1]
    assert found["image"][:, 0, 0, 0].tolist() == [10, 10, 200, 200]
    assert found["image"][:, 2, 3, 5].tolist() == [0, 1, 0, 1]
    resized = read("images", str(pictures), columns={"image": "f32[1, 2, 2]", "label": "i64"})
    assert resized["image"].shape == (4, 1, 2, 2)


def test_table_of_images(pictures: Path) -> None:
    table = str(pictures / "list.csv")
    found = read("images", str(pictures), table=table, columns={"image": "u8[3, 4, 6]", "age": "f32"})
    assert found["image"][:, 0, 0, 0].tolist() == [200, 10]
    assert found["age"].tolist() == [3, 5]


def test_sunspots() -> None:
    pytest.importorskip("statsmodels")
    found = read("statsmodels", "sunspots", columns={"SUNACTIVITY": "f32", "YEAR": "i64"})
    assert found["YEAR"][[0, -1]].tolist() == [1700, 2008]
    assert found["SUNACTIVITY"].max() == pytest.approx(190.2)


@pytest.mark.parametrize(
    ("kind", "name"), [("keras", "mnist"), ("torchvision", "MNIST"), ("torchvision", "QMNIST")]
)
def test_downloaded_sets(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By stand-ins with the libraries' interfaces: tests download nothing."""
    image, label = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([3, 5])
    targets = np.array([[3, 0, 99], [5, 4, 98]]) if name == "QMNIST" else label

    class Part:
        def __init__(self, root: str, *, train: bool, download: bool) -> None:
            self.data, self.targets = (image[:1], targets[:1]) if train else (image[1:], targets[1:])

        @staticmethod
        def load_data() -> Any:
            return (image[:1], label[:1]), (image[1:], label[1:])

    module = ModuleType(f"{kind}.datasets")
    setattr(module, name, Part)
    monkeypatch.setitem(sys.modules, f"{kind}.datasets", module)
    found = read(kind, name, columns={"image": "u8[1, 3, 4]", "label": "i64"})
    assert np.array_equal(found["image"][:, 0], image)
    assert found["label"].tolist() == [3, 5]


def test_huggingface(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Table:
        def with_format(self, kind: str) -> dict[str, np.ndarray]:
            asked.append(kind)
            return {"x": np.ones((3, 2))}

    module = ModuleType("datasets")
    module.load_dataset = lambda *args, **more: asked.append((args, more)) or Table()
    monkeypatch.setitem(sys.modules, "datasets", module)
    found = read("huggingface", "some/set", columns={"x": "f32[2]"}, config="small", split="test")
    assert asked == [(("some/set", "small"), {"split": "test"}), "numpy"]
    assert found["x"].shape == (3, 2)


def test_function_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef load():\n    return {'x': np.eye(3), 'label': [0, 1, 2]}\n"
    )
    data = described("sklearn", "iris", columns={"x": "f32[3]", "label": "i64"})
    program = with_sources(Program(data={"Data": data}), (f"Data={tmp_path / 'mine.py'}:load",))
    assert check_data(program, program.data["Data"]) == {"train": 3}
    for wrong in ("Dota=a.py:load", "Data=a.py", "Data=a.txt:load", "Data=a.py:import os"):
        with pytest.raises(SpecError) as caught:
            with_sources(program, (wrong,))
        assert caught.value.diagnostics[0].code == "DLS0811"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": "f32[4]", "label": "i64"}, r"x: an example has shape \[3\], expected \[4\]"),
        ({"y": "f32[3]"}, "y: the source has no such column, only x, label"),
        ({"half": "i64"}, "half: not all values are of type int64"),
        ({"x": "f32[3]", "short": "f32"}, "columns differ in their number of examples"),
        ({"word": "f32"}, "word: "),
    ],
)
def test_what_cannot_be_read_names_the_column(columns: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(
        path, x=np.ones((4, 3)), label=np.arange(4), half=np.ones(4) / 2, short=np.ones(3), word=["a"] * 4
    )
    data = described("npz", str(path), columns=columns)
    with pytest.raises(SpecError, match=message) as caught:
        check_data(Program(), data)
    assert caught.value.diagnostics[0].code == "DLS0704"


def test_a_missing_file_and_an_empty_split(tmp_path: Path) -> None:
    data = described("csv", str(tmp_path / "none.csv"), columns={"x": "f32"})
    with pytest.raises(SpecError, match=r"none\.csv"):
        check_data(Program(), data)
    (tmp_path / "two.csv").write_text("x\n1\n2\n")
    data = described("csv", str(tmp_path / "two.csv"), columns={"x": "f32"})
    with pytest.raises(SpecError, match="`train` of `Data` has no examples"):
        check_data(Program(), data.model_copy(update={"split": {"train": 0.3, "test": 0.7}}))
