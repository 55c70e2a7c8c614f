"""Printed data code that reads batch by batch: the batches of the whole source, whatever the number of workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.diagnostics import SpecError
from dlspec.emit.data import print_data
from dlspec.runtime.project import load_project

SPEC = """
data Rows {{
  source  = {source}
  columns = {{ x: f32[2, 3], y: i64 }}
  split   = {split}
  seed    = 3
  {more}
}}
"""
SPLIT = "{ train: 0.6, test: 0.4 }"


def spec(source: str, more: str = "", split: str = SPLIT) -> str:
    return SPEC.format(source=source, more=more, split=split)


def printed(text: str) -> str:
    program = loads(text).program
    return print_data(program, next(iter(program.data.values())))


def live(text: str) -> ModuleType:
    project = load_project({"data.py": printed(text)})
    project.data.project = project  # keeps its folder
    return project.data


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """A source of 50 examples, in the spec's words."""
    x = np.random.default_rng(0).normal(size=(50, 6))
    np.save(tmp_path / "rows.npy", np.column_stack([x, np.arange(50) % 4]))
    return f'npy("{(tmp_path / "rows.npy").as_posix()}")'


def every_batch(data: ModuleType, **more: Any) -> list[dict[str, np.ndarray]]:
    """All batches of two epochs, and those of the other split."""
    train, test = data.load("train"), data.load("test")
    found = [batch for epoch in range(2) for batch in data.batches(train, 7, 5, epoch, **more)]
    return [*found, *data.batches(test, 7, shuffle=False)]


def same(mine: list[dict[str, np.ndarray]], others: list[dict[str, np.ndarray]]) -> bool:
    """To the bit, and laid out alike in memory: frameworks may round by that."""
    return len(mine) == len(others) and all(
        a.keys() == b.keys()
        and all(np.array_equal(a[n], b[n]) and a[n].dtype == b[n].dtype for n in a)
        and all(a[n].strides == b[n].strides and a[n].flags.writeable for n in a)
        for a, b in zip(mine, others, strict=True)
    )


PREPARED = """prepare {
  x = exp(x) / mean(x, axis = 2, keepdims = true)
  x = x -> transpose(axes = [0, 2, 1]) -> flip(axis = 1)
}"""


@pytest.mark.parametrize("workers", ["true", "{ threads: 1, ahead: 1 }", "{ threads: 5, ahead: 9 }"])
@pytest.mark.parametrize(
    "more",
    [
        "",
        PREPARED,
        "last_batch = drop",
        "last_batch = fill",
        "prepare { y = one_hot(y, 4) }",
    ],
)
def test_batches_are_those_of_the_whole(rows: str, more: str, workers: str) -> None:
    whole, stream = live(spec(rows, more)), live(spec(rows, f"{more}  stream = {workers}"))
    assert same(every_batch(stream), every_batch(whole))


@pytest.mark.parametrize("workers", ["true", "{ processes: 2 }"])
@pytest.mark.parametrize(
    "more",
    [
        "augment { x = random_noise(x, std = 0.5) }",
        "prepare { x = x * 2 }  augment { x = random_noise(x, std = 0.5) }",
        "prepare { y = one_hot(y, 4) }  augment { x = random_noise(x)  x, y = mixup(x, y) }",
        PREPARED,
    ],
)
def test_altered_batches_are_those_of_the_whole(rows: str, more: str, workers: str) -> None:
    if "mixup" in more and workers != "true":
        return
    whole, stream = live(spec(rows, more)), live(spec(rows, f"{more}  stream = {workers}"))
    assert same(every_batch(stream), every_batch(whole))


@pytest.mark.parametrize("workers", ["true", "{ processes: 1 }"])
def test_statistics_are_those_of_the_training_split(rows: str, workers: str) -> None:
    more = f"stream = {workers}  prepare {{ x = (x - train_mean(x)) / train_std(x, axis = [0, 2]) + train_mean(y) }}"
    data = live(spec(rows, more))
    x = np.load(rows[5:-2])[data.load("train")["row"]]
    first = next(data.batches(data.load("train"), 7, shuffle=False))
    x, y = x[:, :6].reshape(30, 2, 3).astype("f4").astype("f8"), x[:, 6]
    found = data.statistics()
    np.testing.assert_array_equal(found["x_mean"], x.mean(0, keepdims=True).astype("f4"))
    np.testing.assert_allclose(found["x_std_2"], x.std((0, 2), keepdims=True), rtol=1e-7)
    np.testing.assert_array_equal(found["y_mean"], y.mean(0, keepdims=True).astype("f4"))
    wanted = ((x - x.mean(0)) / x.std((0, 2), keepdims=True) + y.mean())[:7]
    np.testing.assert_allclose(first["x"], wanted, rtol=1e-5)


@pytest.mark.parametrize(
    "split",
    [
        "stratified(y, train = 0.5, test = 0.5)",
        "ordered(train = 0.5, test = 0.5)",
        "by(y, train = [0, 3], test = 1)",
    ],
)
def test_splits_are_those_of_the_whole(rows: str, split: str) -> None:
    whole, stream = live(spec(rows, split=split)), live(spec(rows, "stream = true", split))
    assert same(every_batch(stream), every_batch(whole))


def test_skipping_reads_nothing(rows: str) -> None:
    data = live(spec(rows, "stream = true"))
    train, taken = data.load("train"), []
    take = data.take
    data.take = lambda some: taken.append(len(some)) or take(some)
    rest = list(data.batches(train, 7, 5, 0, first=3))
    assert taken == [7, 2]
    data.take = take
    assert same(rest, list(data.batches(train, 7, 5, 0))[3:])


def test_no_more_than_asked_are_ahead(rows: str) -> None:
    """And what is not asked for any more is not read."""
    data = live(spec(rows, "stream = { threads: 2, ahead: 3 }"))
    taken: list[int] = []
    take = data.take
    data.take = lambda some: taken.append(1) or take(some)
    batches = data.batches(data.load("train"), 2)
    next(batches)
    data.threads().submit(int).result()
    assert len(taken) <= 4
    batches.close()
    data.threads().shutdown()
    assert len(taken) <= 4


def test_what_a_worker_raises_arrives_with_its_place(rows: str, tmp_path: Path) -> None:
    data = live(spec(rows, "stream = true"))
    table = np.load(tmp_path / "rows.npy", mmap_mode="r+")
    bad = int(data.load("train")["row"][20])
    table[bad, 6] = 0.5
    with pytest.raises(ValueError, match="y: not all values are of type int64") as found:
        list(data.batches(data.load("train"), 7, shuffle=False))
    assert any(entry.name == "take" for entry in found.traceback)


def test_wrong_order_in_memory_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.asfortranarray(np.zeros((5, 7))))
    data = live(spec(f'npy("{(tmp_path / "rows.npy").as_posix()}")', "stream = true"))
    with pytest.raises(ValueError, match="do not lie one after the other"):
        data.load("train")


LIMITED = """
import resource, sys
import numpy as np
limit = 300 << 20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
sys.path.insert(0, sys.argv[1])
import data
seen = 0
for batch in data.batches(data.load("train"), 100):
    seen += data.count(batch)
    if seen >= 2_000:
        break
print(seen)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts what is allocated on Linux only")
def test_source_larger_than_memory(tmp_path: Path) -> None:
    """A file of 2 GB, which takes no room on the disk, where 300 MB can be allocated: whole, it cannot be read."""
    path = tmp_path / "rows.npy"
    np.lib.format.open_memmap(path, "w+", "f4", (500_000, 1001))
    for stream in ("true", "false"):
        text = spec(f'npy("{path.as_posix()}")', f"stream = {stream}", SPLIT)
        (tmp_path / "data.py").write_text(printed(text.replace("f32[2, 3]", "f32[1000]")))
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=False
        )
        if stream == "true":
            assert done.stdout == "2000\n", done.stderr
        else:
            assert "MemoryError" in done.stderr


@pytest.mark.parametrize(
    "prepare",
    [
        "x = x - mean(x, axis = 0)",
        "x = x / max(x)",
        "x = cumsum(x, axis = 0)",
        "x = flip(x, axis = 0)",
        "x = softmax(x, axis = 0)",
        "x = x[0:1] + x",
        "x = roll(x, 1, axis = 0)",
        "y = arange(N)",
        "x = x / N",
        'x = x + einsum(x, y, "n a b, m -> n a b")',
        "x = centred(x)",
    ],
)
def test_what_depends_on_the_batch_is_refused(prepare: str) -> None:
    block = "block centred { input x  output y = x - mean(x, axis = 0) }\n"
    with pytest.raises(SpecError) as found:
        loads(block + spec('npy("rows.npy")', f"stream = true  prepare {{ {prepare} }}"))
    assert [d.code for d in found.value.diagnostics] == ["DLS0531"]


@pytest.mark.parametrize(
    "prepare",
    [
        "x = x - mean(x, axis = 1, keepdims = true)",
        "x = softmax(x, axis = -1)",
        "x = cumsum(x, axis = 1)",
        "x = reshape(x, [N, 6]) -> unsqueeze(axis = -1)",
        'x = rearrange(x, "n a b -> n b a")',
        'x = einsum(x, x, "n a b, n c b -> n a c")',
        "x = x @ eye(3)",
        "y = take(arange(4), y)",
        "x = concat(x, x * 2, axis = 1)",
        "x = centred(x)",
    ],
)
def test_what_is_of_each_example_is_not(prepare: str) -> None:
    block = "block centred { input x  output y = x - mean(x, axis = 1, keepdims = true) }\n"
    assert loads(block + spec('npy("rows.npy")', f"stream = true  prepare {{ {prepare} }}"))


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (spec('npy("a.npy")', "stream = 2"), "DLS0505", "true, false or a dictionary"),
        (spec('npy("a.npy")', "stream = { threads: 0 }"), "DLS0505", "whole number of at least 1"),
        (spec('npy("a.npy")', "stream = { threads: 1, processes: 1 }"), "DLS0505", "not in both"),
        (spec('npy("a.npy")', "stream = { speed: 1 }"), "DLS0501", "speed"),
        (
            spec('npy("a.npy")', "stream = true  windows = { length: 2, horizon: 1 }", "ordered(train = 0.5)"),
            "DLS0531",
            "windows are cut",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_streamed(text: str, code: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as found:
        loads(text)
    assert [d.code for d in found.value.diagnostics] == [code]
