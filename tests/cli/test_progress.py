"""What is shown of a training while it lasts."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rich.progress import Progress

from dlspec.cli.progress import SILENCE, Bar, Watch, _figures


def step(**more: Any) -> dict[str, Any]:
    place = {"epoch": 2, "epochs": 4, "batch": 50, "batches": 100, "done": 150, "total": 400}
    return {"event": "step", **place, "losses": {"loss": 0.51234}, "rate": 1234.5, **more}


def test_a_pipe_is_told_when_nothing_was_said_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    start = time.monotonic()
    watch._step(step(done=100), start)
    assert capsys.readouterr().out == ""
    watch._step(step(), start + SILENCE + 1)
    watch._step(step(), start + SILENCE + 2)  # said just now
    assert capsys.readouterr().out == "epoch 2/4  loss 0.5123  1,234/s  37 % done  0:02:35 left\n"


def test_a_world_is_told_by_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    watch.said -= SILENCE + 1
    watch._step(step(epoch=0, done=1500, total=25000), time.monotonic())
    assert capsys.readouterr().out.startswith("step 1,500/25,000  loss 0.5123  1,234/s")
    watch.event({"event": "not finite", "message": "learn is nan", "epoch": 0, "batch": 7})
    assert watch.cause is not None
    assert watch.cause[0] == "learn is nan in update 7"


def test_a_bar_has_losses_metrics_and_the_rate_and_counts_from_where_a_run_goes_on() -> None:
    with Progress(disable=True) as progress:
        bar = Bar(progress)
        bar.line("epoch 1/4  loss 0.7  val_loss 0.8  val_accuracy 0.9  val_f1 0.8  val_auc 0.7  seconds 1.5")
        bar.step(step())
        (task,) = progress.tasks
        assert (task.completed, task.total, task.speed) == (150, 400, None)
        assert task.fields["figures"] == "loss 0.5123  val_accuracy 0.9  val_f1 0.8  1,234/s"


def test_nothing_is_shown_beside_json(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(quiet=True)
    watch.said -= SILENCE + 1
    watch.line("epoch 1/4")
    watch.event(step())
    assert capsys.readouterr().out == ""


def test_a_rate_that_is_not_known_is_left_out() -> None:
    assert _figures(step(rate=1234.5)) == ["loss 0.5123", "1,234/s"]
    assert _figures(step(rate=0.0)) == ["loss 0.5123", ""]
