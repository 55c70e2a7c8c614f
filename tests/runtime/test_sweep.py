"""Sweeps, with a script in place of `dlspec train` that writes what epochs come to: no framework is needed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dlspec.diagnostics import SpecError
from dlspec.ir.sweep import Range, Sweep
from dlspec.runtime.sweep import Running, Tried

pytest.importorskip("optuna")

SCRIPT = textwrap.dedent(
    """
    import json, pathlib, sys, time
    words = sys.argv[1:]
    values = dict(words[i + 1].split("=") for i, word in enumerate(words) if word == "--set")
    out = pathlib.Path(words[words.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    rate = float(values["rate"])
    if rate < 0:
        print(json.dumps({"ok": False, "diagnostics": [{"message": "a rate below 0"}]}))
        sys.exit(1)
    for epoch in range(6):
        with (out / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"val_loss": rate + 1 / (epoch + 1)}) + "\\n")
        if rate > 5:
            time.sleep(0.1 if epoch < 3 else 60)  # so slow that it is still there when it is stopped
    """
)


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    return [sys.executable, str(script)]


def sweep(**more: Any) -> Sweep:
    return Sweep(
        **{"name": "Rates", "train": "Net", "settings": {"rate": [1, 2, 3]}, "metric": "val_loss", **more}
    )


def run(found: Sweep, folder: Path, command: list[str]) -> list[Tried]:
    with closing(Running(found, folder, command)) as running:
        running.run(lambda tried: None)
        return running.tried()


def test_every_combination_is_trained_and_judged_by_its_best_epoch(
    tmp_path: Path, command: list[str]
) -> None:
    settings = {"rate": [1, 2.5], "kind": ["a", "b"]}
    tried = run(sweep(settings=settings), tmp_path / "out", command)
    assert {(t.values["rate"], t.values["kind"]) for t in tried} == {
        (1, "a"),
        (1, "b"),
        (2.5, "a"),
        (2.5, "b"),
    }
    assert all(t.objective == pytest.approx(t.values["rate"] + 1 / 6) for t in tried)


def test_a_sweep_goes_on_where_it_was_killed(tmp_path: Path, command: list[str]) -> None:
    found, folder = sweep(settings={"rate": Range(low=0.0, high=1.0)}, trials=4), tmp_path / "out"
    whole = [t.values for t in run(found, tmp_path / "whole", command)]
    with closing(Running(found, folder, command)) as running:
        with pytest.raises(KeyboardInterrupt):
            running.run(lambda tried: (_ for _ in ()).throw(KeyboardInterrupt) if tried.number == 1 else None)
        assert len(running.tried()) == 2
    assert [t.values for t in run(found, folder, command)] == whole


def test_what_was_being_tried_is_tried_again(tmp_path: Path, command: list[str]) -> None:
    found, folder = sweep(), tmp_path / "out"
    with closing(Running(found, folder, command)) as running:
        running._suggest(running._ask({"rate": 1}), "rate")  # and then the machine goes down
        running.study.enqueue_trial({"rate": "1"})
    tried = run(found, folder, command)
    assert [t.values["rate"] for t in tried] == [1, 2, 3]
    assert all(t.state == "complete" for t in tried)


def test_a_trial_worse_than_the_median_is_stopped(tmp_path: Path, command: list[str]) -> None:
    tried = run(sweep(settings={"rate": [1, 2, 3, 4, 9]}), tmp_path / "out", command)
    assert [t.state for t in tried] == ["complete"] * 4 + ["pruned"]


def test_a_trial_that_fails_is_told_and_the_others_go_on(tmp_path: Path, command: list[str]) -> None:
    told: list[Tried] = []
    Running(sweep(settings={"rate": [-1, 1]}), tmp_path / "out", command).run(told.append)
    assert [(t.state, t.why) for t in told] == [("fail", "a rate below 0"), ("complete", "")]


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_an_objective_that_is_no_number_fails_the_trial(
    tmp_path: Path, command: list[str], value: str
) -> None:
    script = Path(command[1])
    script.write_text(
        SCRIPT.replace("rate + 1 / (epoch + 1)", f'rate if rate > 1 or epoch < 2 else float("{value}")')
    )
    told: list[Tried] = []
    with closing(Running(sweep(settings={"rate": [1, 2]}), tmp_path / "out", command)) as running:
        running.run(told.append)
        assert [t.state for t in running.tried()] == ["fail", "complete"]
    assert told[0].why == f"val_loss is {value} in epoch 3"


def test_a_folder_holds_one_sweep(tmp_path: Path, command: list[str]) -> None:
    run(sweep(trials=1), tmp_path / "out", command)
    with pytest.raises(SpecError, match="DLS0818"):
        Running(sweep(settings={"rate": [7]}), tmp_path / "out", command)
    assert len(run(sweep(trials=2), tmp_path / "out", command)) == 2  # more of the same is no other sweep


def test_two_sweeps_in_one_folder_are_refused(tmp_path: Path, command: list[str]) -> None:
    with closing(Running(sweep(), tmp_path / "out", command)), pytest.raises(SpecError, match="DLS0820"):
        Running(sweep(), tmp_path / "out", command)
    Running(sweep(), tmp_path / "out", command).close()


def test_no_trial_begins_after_the_time(tmp_path: Path, command: list[str]) -> None:
    found = sweep(settings={"rate": [1, 2, 3]}, timeout=1)
    Path(command[1]).write_text(SCRIPT + "time.sleep(1)")
    assert len(run(found, tmp_path / "out", command)) == 1
    assert len(run(found, tmp_path / "out", command)) == 1  # nor when it goes on


@pytest.mark.parametrize("choice", [{"sampler": "random"}, {"prune": "halving"}, {"prune": "none"}], ids=str)
def test_other_ways_to_choose_and_to_stop(tmp_path: Path, command: list[str], choice: dict[str, str]) -> None:
    found = sweep(settings={"rate": Range(low=0.0, high=1.0)}, trials=2, **choice)
    assert len(run(found, tmp_path / "out", command)) == 2


KILLED = """
import sys
from dlspec.ir.sweep import Sweep
from dlspec.runtime.sweep import Running
found, folder, *command = sys.argv[1:]
Running(Sweep.model_validate_json(found), __import__("pathlib").Path(folder), command).run(print)
"""


def test_a_sweep_that_is_killed_takes_its_trial_along_and_goes_on(tmp_path: Path, command: list[str]) -> None:
    """With SIGKILL, in the middle of a trial that trains for ever."""
    script, folder = Path(command[1]), tmp_path / "out"
    held = "from dlspec.runtime.watched import end_with_input; end_with_input()\n"
    endless = (
        "(out / 'pid').write_text(str(__import__('os').getpid())); time.sleep(600 if rate == 2 else 0)\n"
    )
    script.write_text(held + SCRIPT + endless)
    found = sweep(settings={"rate": [1, 2, 3]}, prune="none")
    words = [sys.executable, "-c", KILLED, found.model_dump_json(), str(folder), *command]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        pid = wait_for(lambda: (folder / "trial-001/pid").read_text())
        process.kill()
    wait_for(lambda: dead(int(pid)))
    script.write_text(SCRIPT)
    tried = run(found, folder, command)
    assert [t.values["rate"] for t in tried] == [1, 2, 3]
    assert [t.number for t in tried] == [0, 2, 3]  # number 1 was cut off


def wait_for(look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as it is something."""
    for _ in range(3000):
        with contextlib.suppress(OSError):
            if found := look():
                return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return (
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    )  # nobody asked for its status


def test_the_shipped_sweep_as_a_user_runs_it(tmp_path: Path) -> None:
    words = ["sweep", "zoo:training/sweep", "--trials", "1", "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "dlspec", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["best"] == 0
    assert answer["trials"][0]["val_accuracy"] > 0.05
    assert "--set lr=" in answer["command"]
