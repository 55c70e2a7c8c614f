"""Every kind of source that can be streamed gives the batches of the whole, and its workers end well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.emit.test_streaming import every_batch, live, printed, same, spec

COLUMNS = "columns = { x: f32[2, 3], y: i64 }"
TWO_FIELDS = "columns = { age: i64, height: f32 }"
PICTURES = "columns = { image: u8[3, 4, 6], label: i64 }"
TABLE = "columns = { image: u8[1, 2, 2], age: f32 }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One source of each kind, of 40 examples."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2, 3)), np.arange(40) % 5
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    np.savez_compressed(tmp_path / "small.npz", x=x, y=y)
    lines = [
        ";".join(map(repr, [*map(float, row.ravel()), int(label)])) for row, label in zip(x, y, strict=True)
    ]
    (tmp_path / "rows.csv").write_text("a;b\n" + "\n\n# note\n".join(lines) + "\n")
    named = [f'{1 + i / 7!r},"the, ""{i}"" #1",{i}' for i in range(40)]
    (tmp_path / "named.csv").write_text("height,name,age\n" + "\n".join(named))
    (tmp_path / "mine.py").write_text(
        f"import numpy as np\ndef load():\n    return np.load({str(tmp_path / 'rows.npz')!r})\n"
    )
    return tmp_path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(8):
            pixels = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    rows = [f"{name}/{number}.png,{number}" for number in range(8) for name in ("dog", "cat")]
    (tmp_path / "list.csv").write_text("image,age\n" + "\n".join(rows) + "\n")
    return tmp_path


def both(source: str, columns: str, workers: str = "true") -> bool:
    """Whether the streamed batches are those of the whole."""
    whole, stream = (spec(source, more).replace(COLUMNS, columns) for more in ("", f"stream = {workers}"))
    assert whole != stream
    return same(every_batch(live(stream)), every_batch(live(whole)))


@pytest.mark.parametrize("workers", ["true", "{ processes: 1 }"])
@pytest.mark.parametrize(
    ("source", "columns"),
    [
        ('npz("FOLDER/rows.npz")', COLUMNS),
        ('csv("FOLDER/rows.csv", delimiter = ";")', COLUMNS),
        ('csv("FOLDER/named.csv", named = true)', TWO_FIELDS),
    ],
)
def test_files(folder: Path, source: str, columns: str, workers: str) -> None:
    assert both(source.replace("FOLDER", folder.as_posix()), columns, workers)


@pytest.mark.parametrize("workers", ["true", "{ processes: 2 }"])
def test_images(pictures: Path, workers: str) -> None:
    assert both(f'images("{pictures.as_posix()}")', PICTURES, workers)
    table = (pictures / "list.csv").as_posix()
    assert both(f'images("{pictures.as_posix()}", table = "{table}")', TABLE, workers)


def test_parquet(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    arrays, path = np.load(folder / "rows.npz"), folder / "rows.parquet"

    def write(sign: int) -> None:
        table = {"x": (sign * arrays["x"]).reshape(40, 6).tolist(), "y": arrays["y"], "z": ["a"] * 40}
        parquet.write_table(pyarrow.table(table), path, row_group_size=7)

    source = f'parquet("{path.as_posix()}")'
    write(1)
    assert both(source, COLUMNS)
    assert {p.name for p in folder.glob("rows.parquet*")} == {
        "rows.parquet", "rows.parquet.x.npy", "rows.parquet.y.npy",
    }  # fmt: skip
    write(-1)
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))
    assert both(source, COLUMNS)
    text = live(spec(source, "stream = true").replace("y: i64", "z: i64"))
    with pytest.raises(ValueError, match="z: not all values are numbers"):
        text.load("train")
    assert not list(folder.glob("rows.parquet.z*"))


@pytest.mark.parametrize("workers", ["true", "{ processes: 1 }"])
def test_what_is_in_memory_anyway(workers: str) -> None:
    """Then batches are prepared and altered ahead."""
    assert both('sklearn("digits")', "columns = { x: f32[1, 8, 8], y: i64 }", workers)
    assert both('synthetic("moons", noise = 0.1)', "columns = { point: f32[2], label: i64 }", workers)


def test_huggingface(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(120.0).reshape(20, 6)

    class Table:
        """As the library's: a column, or rows as a dictionary."""

        def with_format(self, kind: str) -> Table:
            return self

        def __len__(self) -> int:
            return 20

        def select_columns(self, names: list[str]) -> Table:
            return self

        def __getitem__(self, key: object) -> object:
            return {"x": x, "y": x[:, 0]}[key] if isinstance(key, str) else {"x": x[key], "y": x[key, 0]}

    module = ModuleType("datasets")
    module.load_dataset = lambda *args, **more: Table()
    monkeypatch.setitem(sys.modules, "datasets", module)
    assert both('huggingface("some/set")', COLUMNS)


def test_function_from_the_command_line(folder: Path) -> None:
    from dlspec.api import loads
    from dlspec.emit.data import print_data
    from dlspec.runtime.data_check import check_data, with_sources
    from dlspec.runtime.project import load_project

    program = loads(spec('npy("rows.npy")', "stream = true")).program
    program = with_sources(program, (f"Rows={folder / 'mine.py'}:load",))
    assert check_data(program, program.data["Rows"]) == {"train": 24, "test": 16}
    data = load_project({"data.py": print_data(program, program.data["Rows"])}).data
    assert same(every_batch(data), every_batch(live(spec(f'npz("{folder / "rows.npz"}")'))))


@pytest.mark.parametrize(
    ("source", "columns", "message"),
    [
        ('npz("FOLDER/small.npz")', COLUMNS, "compressed arrays are read as a whole only"),
        ('csv("FOLDER/long.csv", named = true)', TWO_FIELDS, "a quoted field has several lines"),
        ('csv("FOLDER/named.csv", named = true)', TWO_FIELDS.replace("age", "sex"), "sex: the table has no"),
    ],
)
def test_what_cannot_be_read_by_rows(folder: Path, source: str, columns: str, message: str) -> None:
    (folder / "long.csv").write_text('height,name,age\n1,"two\nlines",3\n')
    text = spec(source.replace("FOLDER", folder.as_posix()), "stream = true").replace(COLUMNS, columns)
    data = live(text)
    with pytest.raises(ValueError, match=message):
        next(data.batches(data.load("train"), 2))


def test_what_a_process_raises_arrives_with_its_traceback(pictures: Path) -> None:
    text = spec(f'images("{pictures.as_posix()}")', "stream = { processes: 1 }").replace(COLUMNS, PICTURES)
    data = live(text)
    (pictures / "dog/3.png").write_bytes(b"no image")
    with pytest.raises(OSError, match=r"cannot identify.*3\.png") as found:
        every_batch(data)
    assert "in image\n" in found.value.__notes__[0]


def test_a_process_that_dies_is_told(pictures: Path) -> None:
    text = spec(f'images("{pictures.as_posix()}")', "stream = { processes: 1 }").replace(COLUMNS, PICTURES)
    data = live(text)
    batches = data.batches(data.load("train"), 1)
    next(batches)
    data.threads().submit(lambda: data.HERE.process.kill()).result()
    with pytest.raises(RuntimeError, match="a reading process ended"):
        list(batches)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="lists processes by /proc")
@pytest.mark.parametrize(("workers", "started"), [("{ threads: 2 }", 0), ("{ processes: 2 }", 2)])
def test_an_interrupted_process_ends(pictures: Path, workers: str, started: int) -> None:
    """By control-C, which all processes of the terminal's session get."""
    text = spec(f'images("{pictures.as_posix()}")', f"stream = {workers}").replace(COLUMNS, PICTURES)
    (pictures / "data.py").write_text(printed(text))
    (pictures / "endless.py").write_text(
        # what a shell runs in the background ignores control-C
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import data\nrows = data.load('train')\nwhile True:\n    for batch in data.batches(rows, 1):\n"
        "        print('batch', flush=True)\n"
    )
    command = [sys.executable, pictures / "endless.py"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "batch\n"
        children = children_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert complaint.count("KeyboardInterrupt") == 1
    assert len(children) == started
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline, "a reading process is left"
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    """The processes that any thread of a process started."""
    return [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ]


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie, which waits for nothing but to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
