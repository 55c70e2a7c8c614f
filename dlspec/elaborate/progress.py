"""`progress` in a step: the part of the training that is done, a number from 0 to 1."""

from __future__ import annotations

from dlspec.elaborate.frame import Frame
from dlspec.ir.training import PROGRESS


def define_progress(frame: Frame) -> None:
    """Let a step read it, where no column or model has the name."""
    if frame.builder is not None and PROGRESS not in frame.scope.names:
        frame.scope.define(PROGRESS, frame.builder.input(PROGRESS, "f32[]"))
