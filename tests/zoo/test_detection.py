"""The loss of YOLOv2 and non-maximum suppression against what Darknet computes, loop by loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec

SPEC = Path(__file__).parent / "detection.dls"
ANCHORS = [(0.6, 0.7), (2.0, 1.5)]
A, ROWS, COLUMNS, CLASSES = 2, 4, 5, 3


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes, by their centres and sizes."""
    sides = [
        min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2)
        for i in (0, 1)
    ]
    shared = sides[0] * sides[1] if min(sides) > 0 else 0.0
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))


def box(t: Any, n: int, j: int, i: int) -> list[float]:
    """The box of one anchor in one cell."""
    width, height = np.exp(t[2]) * ANCHORS[n][0] / COLUMNS, np.exp(t[3]) * ANCHORS[n][1] / ROWS
    return [(i + sigmoid(t[0])) / COLUMNS, (j + sigmoid(t[1])) / ROWS, width, height]


def toward(t: Any, n: int, j: int, i: int, truth: Any, scale: float) -> list[float]:
    """Darknet's deltas of a box: how its numbers should change."""
    x, y = sigmoid(t[0]), sigmoid(t[1])
    return [
        scale * (truth[0] * COLUMNS - i - x) * x * (1 - x),
        scale * (truth[1] * ROWS - j - y) * y * (1 - y),
        scale * (np.log(truth[2] * COLUMNS / ANCHORS[n][0]) - t[2]),
        scale * (np.log(truth[3] * ROWS / ANCHORS[n][1]) - t[3]),
    ]


def deltas(raw: Any, truths: Any, labels: Any, pull: float) -> Any:
    """What Darknet sends back from its region layer for one image: later values overwrite earlier ones."""
    t = raw.reshape(A, 5 + CLASSES, ROWS, COLUMNS)
    delta = np.zeros_like(t)
    there = [(truth, int(label)) for truth, label in zip(truths, labels, strict=True) if truth[0] > 0]
    for n in range(A):
        for j in range(ROWS):
            for i in range(COLUMNS):
                cell = t[n, :, j, i]
                best = max((overlap(box(cell, n, j, i), truth) for truth, _ in there), default=0)
                sure = sigmoid(cell[4])
                delta[n, 4, j, i] = 0 if best > 0.6 else -sure * sure * (1 - sure)
                prior = [(i + 0.5) / COLUMNS, (j + 0.5) / ROWS, ANCHORS[n][0] / COLUMNS, ANCHORS[n][1] / ROWS]
                if pull:
                    delta[n, :4, j, i] = toward(cell, n, j, i, prior, pull)
    for truth, label in there:
        i, j = int(truth[0] * COLUMNS), int(truth[1] * ROWS)
        shape = [0, 0, *truth[2:]]
        n = int(np.argmax([overlap([0, 0, w / COLUMNS, h / ROWS], shape) for w, h in ANCHORS]))
        cell = t[n, :, j, i]
        sure, odds = sigmoid(cell[4]), np.exp(cell[5:]) / np.exp(cell[5:]).sum()
        delta[n, :4, j, i] = toward(cell, n, j, i, truth, 2 - truth[2] * truth[3])
        delta[n, 4, j, i] = 5 * (overlap(box(cell, n, j, i), truth) - sure) * sure * (1 - sure)
        delta[n, 5:, j, i] = np.eye(CLASSES)[label] - odds
    return delta.reshape(raw.shape)


@pytest.mark.parametrize("pull", [0, 0.01])
def test_region_loss_has_darknets_gradient(pull: float) -> None:
    """Also where two truths ask one anchor, where there is none, and where another box is near."""
    import torch

    random = np.random.default_rng(3)
    raw = random.normal(size=(3, A * (5 + CLASSES), ROWS, COLUMNS))
    truth = np.zeros((3, 4, 4))
    truth[0, :3] = [[0.31, 0.62, 0.4, 0.35], [0.33, 0.64, 0.42, 0.3], [0.9, 0.1, 0.1, 0.2]]
    truth[1, :1] = box(
        raw[1].reshape(A, -1, ROWS, COLUMNS)[1, :, 2, 2], 1, 2, 3
    )  # a neighbour of the box that it is
    label = random.integers(0, CLASSES, size=(3, 4))

    model = dlspec.load(SPEC, set={"Region.pull": pull}).model("Region").torch()
    x = torch.tensor(raw, dtype=torch.float32, requires_grad=True)
    model(x, torch.tensor(truth, dtype=torch.float32), torch.tensor(label)).backward()

    expected = np.stack([-deltas(*image, pull) for image in zip(raw, truth, label, strict=True)]) / 3
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=2e-6)


def everywhere(model: str, inputs: dict[str, Any]) -> dict[str, list[Any]]:
    """The outputs of a model of the spec on each backend, with the weights of none."""
    import keras
    import torch

    made = dlspec.load(SPEC).model(model)
    with torch.no_grad():
        found = {"torch": made.torch()(*map(torch.tensor, inputs.values()))}
    found["keras"] = made.keras()(*map(keras.ops.convert_to_tensor, inputs.values()))
    found["onnx"] = made.session().run(None, inputs)
    return {
        name: [np.asarray(r) for r in (results if isinstance(results, (tuple, list)) else [results])]
        for name, results in found.items()
    }


@pytest.mark.slow
def test_detection_is_the_same_everywhere() -> None:
    random = np.random.default_rng(1)
    raw = random.normal(size=(2, A * (5 + CLASSES), ROWS, COLUMNS)).astype(np.float32)
    truth = random.uniform(0.1, 0.9, size=(2, 4, 4)).astype(np.float32)
    truth[1, 2:] = 0
    label = random.integers(0, CLASSES, size=(2, 4))
    boxes = random.uniform(0.2, 0.6, size=(2, 10, 4)).astype(np.float32)
    scores = random.uniform(size=(2, 10, 3)).astype(np.float32)
    cases = {
        "Region": {"raw": raw, "truth": truth, "label": label},
        "Suppression": {"boxes": boxes, "scores": scores},
    }
    for model, inputs in cases.items():
        found = everywhere(model, inputs)
        for backend in ("keras", "onnx"):
            for one, other in zip(found["torch"], found[backend], strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, err_msg=f"{model}, {backend}")


def suppressed(boxes: Any, scores: Any, limit: float) -> list[tuple[float, int, int]]:
    """Score, box and class of what is kept of one image, best first: class by class, as Darknet does it."""
    kept = []
    for kind in range(scores.shape[1]):
        left = sorted(range(len(boxes)), key=lambda b: -scores[b, kind])
        while left:
            best, *left = left
            kept.append((float(scores[best, kind]), best, kind))
            left = [b for b in left if overlap(boxes[b], boxes[best]) <= limit]
    return sorted(kept, reverse=True)


def test_suppression_keeps_the_best_of_what_overlaps() -> None:
    import torch

    random = np.random.default_rng(0)
    boxes = random.uniform(0.2, 0.6, size=(2, 10, 4)).astype(np.float32)
    scores = random.permutation(60).reshape(2, 10, 3).astype(np.float32) / 60 + 0.01
    model = dlspec.load(SPEC).model("Suppression").torch()
    found, score, kind = (r.numpy() for r in model(torch.tensor(boxes), torch.tensor(scores)))
    for n in range(2):
        expected = suppressed(boxes[n], scores[n], 0.4)[:12]
        many = len(expected)
        np.testing.assert_allclose(score[n, :many], [s for s, _, _ in expected], rtol=1e-6)
        np.testing.assert_array_equal(kind[n, :many], [k for _, _, k in expected])
        np.testing.assert_allclose(found[n, :many], boxes[n, [b for _, b, _ in expected]])
        assert not score[n, many:].any()
