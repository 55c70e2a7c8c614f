"""Losses and other functions of the specs: against their formulas in NumPy, and the same on all backends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec._data import data_path
from dlspec.runtime.interpreter import run
from dlspec.runtime.verify.inputs import drawn_inputs

Array = Any


@dataclass(frozen=True)
class Case:
    """A use of functions of a spec, and what it must give for these inputs."""

    spec: str
    names: str
    inputs: dict[str, str]
    value: str
    formula: Callable[..., Array]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


def cross_entropy(logits: Array, label: Array) -> Array:
    """-log p of each label, the classes on the last axis."""
    return -np.log(np.take_along_axis(softmax(logits), label[..., None], -1)[..., 0])


def binary(logits: Array, target: Array) -> Array:
    return softplus(logits) - target * logits


def unit(x: Array) -> Array:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def td_loss(values: Array, later: Array, action: Array, reward: Array, terminal: Array) -> Array:
    delta = values[np.arange(len(action)), action] - (reward + 0.99 * (1 - terminal) * later.max(1))
    return np.mean(np.where(abs(delta) <= 1, delta**2 / 2, abs(delta) - 0.5))


def nt_xent(first: Array, second: Array) -> Array:
    z = unit(np.concatenate([first, second]))
    n, losses = len(first), []
    for i in range(2 * n):
        s = np.array([z[i] @ z[j] / 0.5 for j in range(2 * n)])
        losses.append(np.log(np.exp(np.delete(s, i)).sum()) - s[(i + n) % (2 * n)])
    return np.mean(losses)


def free_energy(v: Array, w: Array, a: Array, b: Array) -> Array:
    """By its definition: -log of the sum over all states of the hidden units."""
    states = np.array(np.meshgrid(*[[0, 1]] * len(b), indexing="ij")).reshape(len(b), -1).T
    energies = -(v @ a)[:, None] - states @ b - v @ w @ states.T
    return -np.log(np.exp(-energies).sum(1))


def contrastive_divergence(v: Array, w: Array, a: Array, b: Array) -> Array:
    """Where units are sure of themselves, so that what is drawn is known."""
    h = (100 * (v @ w + b) > 0) * 1.0
    fantasy = sigmoid(100 * (h @ w.T + a))
    return np.mean([energy(v, 100 * w, 100 * a, 100 * b) - energy(fantasy, 100 * w, 100 * a, 100 * b)])


def energy(v: Array, w: Array, a: Array, b: Array) -> Array:
    return -v @ a - softplus(v @ w + b).sum(1)


def signal(t: Array) -> Array:
    return np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[t][:, None, None, None]


def denoised(image: Array, t: Array, seen: Array, fresh: Array) -> Array:
    beta = np.linspace(1e-4, 0.02, 1000)[t][:, None, None, None]
    mean = (image - beta / np.sqrt(1 - signal(t)) * seen) / np.sqrt(1 - beta)
    return mean + (t > 0)[:, None, None, None] * np.sqrt(beta) * fresh


def logit_laplace(drawn: Array, image: Array) -> Array:
    x = 0.8 * sigmoid(image) + 0.1
    mean, scale = drawn[:, :3], np.exp(drawn[:, 3:])
    density = np.exp(-abs(np.log(x / (1 - x)) - mean) / scale) / (2 * scale * x * (1 - x))
    return -np.mean(np.log(density))


def map_loss(penalties: Array, label: Array) -> Array:
    rows = zip(penalties, label, strict=True)
    return np.mean([y[k] + np.log(np.exp(-0.1) + np.exp(-y).sum()) for y, k in rows])


def margin_loss(lengths: Array, drawn: Array, image: Array, label: Array) -> Array:
    there = label[:, None] == np.arange(10)
    margins = np.where(there, np.maximum(0, 0.9 - lengths) ** 2, 0.5 * np.maximum(0, lengths - 0.1) ** 2)
    return (margins.sum() + 0.0005 * ((drawn - image.reshape(drawn.shape)) ** 2).sum()) / len(label)


def total_variation(x: Array) -> Array:
    places = np.ndindex(*(n - more for n, more in zip(x.shape, (0, 0, 1, 1), strict=True)))
    return sum(
        (x[n, c, i, j] - x[n, c, i, j + 1]) ** 2 + (x[n, c, i, j] - x[n, c, i + 1, j]) ** 2
        for n, c, i, j in places
    ) / (2 * len(x))


def reorg(x: Array) -> Array:
    """Index by index as reorg_cpu of Darknet does it, whose width, height and channels are those of its input."""
    n, c, h, w = x.shape
    flat, out = x.ravel(), np.empty(x.size)
    for b, k, j, i in np.ndindex(n, c, h, w):
        part, offset = k % (c // 4), k // (c // 4)
        column, row = i * 2 + offset % 2, j * 2 + offset // 2
        out[i + w * (j + h * (k + c * b))] = flat[column + w * 2 * (row + h * 2 * (part + c // 4 * b))]
    return out.reshape(n, 4 * c, h // 2, w // 2)


def iou(a: Array, b: Array) -> Array:
    sides = [
        np.minimum(a[:, i] + a[:, i + 2] / 2, b[:, i] + b[:, i + 2] / 2)
        - np.maximum(a[:, i] - a[:, i + 2] / 2, b[:, i] - b[:, i + 2] / 2)
        for i in (0, 1)
    ]
    shared = np.where(np.minimum(*sides) > 0, sides[0] * sides[1], 0)
    return shared / (a[:, 2] * a[:, 3] + b[:, 2] * b[:, 3] - shared)


def seen(place: Array) -> Array:
    """What a 4x4 image after 6 tokens of text sees in 3x3 around it, cell by cell in the order of rows."""
    found = np.zeros((22, 22))
    for i in place:
        for j in range(i + 1):
            near = any(i - j == 4 * up - right for up in (0, 1) for right in (-1, 0, 1))
            found[i, j] = j < 6 or near
    return found


VECTORS = {"x": "f32[N, 12]", "y": "f32[N, 12]"}
IMAGES = {"x": "f32[N, 3, 4, 4]", "t": "i64[N]", "e": "f32[N, 3, 4, 4]", "z": "f32[N, 3, 4, 4]"}
MACHINE = {"v": "f32[N, 5]", "w": "f32[5, 4]", "a": "f32[5]", "b": "f32[4]"}
SEQUENCES = {"q": "f32[N, T, 8]", "k": "f32[N, S, 8]", "v": "f32[N, S, 3]"}
Q = {"values": "f32[N, 12]", "later": "f32[N, 12]", "action": "i64[N]", "r": "f32[N]", "end": "f32[N]"}

CASES = {
    "half_squared_error": Case("std/logistic", "half_squared_error", VECTORS, "half_squared_error(x, y)",
        lambda x, y: ((x - y) ** 2).sum() / 2),
    "free_energy": Case("std/rbm", "free_energy", MACHINE, "free_energy(v, w, a, b)", free_energy),
    "up and down": Case("std/rbm", "up, down", MACHINE, "down(up(v, w, b), w, a)",
        lambda v, w, a, b: sigmoid(sigmoid(v @ w + b) @ w.T + a)),
    "td_loss": Case("decisions/dqn", "td_loss", Q, "td_loss(values, later, action, r, end)", td_loss),
    "nt_xent": Case("std/contrastive", "nt_xent", VECTORS, "nt_xent(x, y)", nt_xent),
    "margin_contrastive": Case("std/contrastive", "margin_contrastive", {**VECTORS, "same": "f32[N]"},
        "margin_contrastive(x / 8, y / 8, same)", lambda x, y, same: np.mean(
            same * (d := np.linalg.norm(x - y, axis=1) / 8) ** 2 + (1 - same) * np.maximum(0, 1 - d) ** 2) / 2),
    "in_batch_softmax": Case("std/contrastive", "in_batch_softmax", {**VECTORS, "log_q": "f32[N]"},
        "in_batch_softmax(x, y, log_q)",
        lambda x, y, log_q: cross_entropy(x @ y.T / 0.05 - log_q, np.arange(len(x))).mean()),
    "pairwise_interactions": Case("recommendation/deepfm", "pairwise_interactions", {"x": "f32[N, 5, 3]"},
        "pairwise_interactions(x)",
        lambda x: sum((x[:, i] * x[:, j]).sum(1) for i in range(5) for j in range(i))[:, None]),
    "dann_loss": Case("adaptation/dann", "dann_loss",
        {"label": "f32[S, 10]", "truth": "i64[S]", "domain": "f32[N, 1]", "origin": "f32[N, 1]"},
        "dann_loss(label, truth, domain, origin)",
        lambda label, truth, domain, origin: cross_entropy(label, truth).mean() + binary(domain, origin).mean()),
    "discriminator_loss": Case("generative/gan", "discriminator_loss", VECTORS, "discriminator_loss(x, y)",
        lambda x, y: -(np.log(sigmoid(x)).mean() + np.log(1 - sigmoid(y)).mean()) / 2),
    "generator_loss": Case("generative/gan", "generator_loss", {"x": "f32[N, 1]"}, "generator_loss(x)",
        lambda x: -np.log(sigmoid(x)).mean()),
    "elbo": Case("generative/vae", "elbo", {**VECTORS, "m": "f32[N, 3]", "s": "f32[N, 3]"}, "elbo(x, y, m, s)",
        lambda x, y, m, s: (-binary(x, y).sum(1) - (m**2 + np.exp(s) - 1 - s).sum(1) / 2)),
    "reparameterize": Case("generative/vae", "reparameterize", {**VECTORS, "e": "f32[N, 12]"},
        "reparameterize(x, y, e)", lambda x, y, e: x + np.sqrt(np.exp(y)) * e),
    "noised": Case("generative/ddpm", "noised", {k: IMAGES[k] for k in "xte"}, "noised(x, t, e)",
        lambda x, t, e: np.sqrt(signal(t)) * x + np.sqrt(1 - signal(t)) * e),
    "denoised": Case("generative/ddpm", "denoised", IMAGES, "denoised(x, t, e, z)", denoised),
    "simple_loss": Case("generative/ddpm", "simple_loss", VECTORS, "simple_loss(x, y)",
        lambda x, y: np.mean((x - y) ** 2)),
    "timestep_embedding": Case("generative/ddpm", "timestep_embedding", {"t": "i64[N]"},
        "timestep_embedding(t, 8)", lambda t: np.concatenate(
            [f(t[:, None] / 10000 ** (np.arange(4) / 3)) for f in (np.sin, np.cos)], 1)),
    "logit_laplace_loss": Case("multimodal/dvae", "logit_laplace_loss, mapped",
        {"drawn": "f32[N, 6, 4, 4]", "x": "f32[N, 3, 4, 4]"},
        "logit_laplace_loss(drawn, mapped(sigmoid(x)))", logit_laplace),
    "mapped and unmapped": Case("multimodal/dvae", "mapped, unmapped", {"x": "f32[N, 12]"},
        "unmapped(mapped(sigmoid(x)))", sigmoid),
    "quantized": Case("multimodal/dvae", "quantized", {"x": "f32[N, 9, 4, 4]"}, "quantized(x)",
        lambda x: x.argmax(1)),
    "relaxed": Case("multimodal/dvae", "relaxed", {"x": "f32[N, 9, 4, 4]", "y": "f32[N, 9, 4, 4]"},
        "relaxed(x, y, temperature = 0.5)", lambda x, y: softmax((x + y) / 0.5, 1)),
    "kl_to_uniform": Case("multimodal/dvae", "kl_to_uniform", {"x": "f32[N, 9, 4, 4]"}, "kl_to_uniform(x)",
        lambda x: (softmax(x, 1) * np.log(9 * softmax(x, 1))).sum(1).mean()),
    "caption_loss": Case("multimodal/show_and_tell", "caption_loss",
        {"x": "f32[N, T, 12]", "word": "i64[N, T]", "mask": "f32[N, T]"}, "caption_loss(x, word, square(mask))",
        lambda x, word, mask: (cross_entropy(x, word) * mask**2).sum() / (mask**2).sum()),
    "seen": Case("multimodal/dalle", "seen", {"place": "i64[22]"},
        'cast(seen(arange(22) + 0 * place, "around", 6, 4, 3), f32)', lambda place: seen(np.arange(22))),
    "stream_loss": Case("multimodal/dalle", "stream_loss",
        {"x": "f32[N, 2, 12]", "word": "i64[N, 3]", "y": "f32[N, 4, 11]", "code": "i64[N, 4]"},
        "stream_loss(x, word, y, code)", lambda x, word, y, code: (
            cross_entropy(x, word[:, 1:]).mean() / 8 + cross_entropy(y, code).mean() * 7 / 8)),
    "map_loss": Case("vision/lenet", "map_loss", {"x": "f32[N, 10]", "label": "i64[N]"},
        "map_loss(square(x), label)", lambda x, label: map_loss(x**2, label)),
    "margin_loss": Case("vision/capsnet", "margin_loss",
        {"x": "f32[N, 10]", "drawn": "f32[N, 16]", "image": "f32[N, 1, 4, 4]", "label": "i64[N]"},
        "margin_loss(sigmoid(x), drawn, image, label)",
        lambda x, drawn, image, label: margin_loss(sigmoid(x), drawn, image, label)),
    "pixel_loss": Case("vision/fcn", "pixel_loss", {"x": "f32[N, 10, 4, 4]", "label": "i64[N, 4, 4]"},
        "pixel_loss(x, label)", lambda x, label: cross_entropy(np.moveaxis(x, 1, -1), label).sum()),
    "gram": Case("std/style", "gram", {"x": "f32[N, 3, 4, 4]"}, "gram(x)",
        lambda x: np.array([one.reshape(3, 16) @ one.reshape(3, 16).T / 48 for one in x])),
    "total_variation": Case("std/style", "total_variation", {"x": "f32[N, 3, 4, 4]"}, "total_variation(x)",
        total_variation),
    "crop": Case("std/crop", "crop", {"x": "f32[N, 2, 8, 9]", "y": "f32[N, 3, 4, 4]"},
        "crop(x, y) + crop(x, y, offset = 1)", lambda x, y: x[:, :, 2:6, 2:6] + x[:, :, 1:5, 1:5]),
    "reorg": Case("vision/yolo", "reorg", {"x": "f32[N, 8, 4, 6]"}, "reorg(x)", reorg),
    "iou": Case("std/detection", "iou", {"x": "f32[N, 4]", "y": "f32[N, 4]"}, "iou(exp(x), exp(y))",
        lambda x, y: iou(np.exp(x), np.exp(y))),
    **{
        f"attention by {name}": Case("std/similarity", f"{name}, attend", SEQUENCES, f"attend({name}(q, k), v)",
            lambda q, k, v, score=score: softmax(score(q[:, :, None], k[:, None])) @ v)
        for name, score in {
            "dot": lambda q, k: (q * k).sum(-1),
            "scaled_dot": lambda q, k: (q * k).sum(-1) / np.sqrt(8),
            "cosine": lambda q, k: (unit(q) * unit(k)).sum(-1),
            "euclidean": lambda q, k: -np.linalg.norm(q - k, axis=-1),
        }.items()
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], dlspec.Spec]:
    """Loads a model of nothing but the use; each number that comes in has a weight, for its gradient."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "dlspec.toml").touch()
    shutil.copytree(Path(str(data_path("specs"))), folder / "specs")

    def loaded(case: Case) -> dlspec.Spec:
        source = case.spec if case.spec.startswith("std/") else f"specs/{case.spec}.dls"
        lines = [f"input {name}: {kind}" for name, kind in case.inputs.items()]
        for name, kind in case.inputs.items():
            if kind.startswith("f32"):
                size = last if (last := kind[:-1].split()[-1]).isdigit() else "1"
                lines += [
                    f"weight_{name} = Parameter([{size}], init = ones)",
                    f"{name} = {name} * weight_{name}",
                ]
        body = "\n  ".join([*lines, f"output result = {case.value}"])
        path = folder / "use.dls"
        path.write_text(f'# A use.\nimport {{ {case.names} }} from "{source}"\nmodel Use {{\n  {body}\n}}\n')
        return dlspec.load(path)

    return loaded


@pytest.mark.parametrize("name", CASES)
def test_formula(name: str, load: Callable[[Case], dlspec.Spec]) -> None:
    case = CASES[name]
    spec = load(case)
    inputs = drawn_inputs(spec.program, spec.program.models["Use"], 0)
    weights = spec.model("Use").weights()
    got = run(spec.program, spec.program.models["Use"], inputs, weights, double=True)["result"]
    wanted = case.formula(*inputs.values())
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_everywhere(name: str, load: Callable[[Case], dlspec.Spec]) -> None:
    from dlspec.runtime.verify import verify

    report = verify(load(CASES[name]).program, "Use", backends=["torch", "keras", "onnx"])
    assert report.ok, report
    assert not report.notes


def test_contrastive_divergence(load: Callable[[Case], dlspec.Spec]) -> None:
    """The states between the two passes are drawn: where all units are sure, they are known."""
    value = "(v, 100 * w, 100 * a, 100 * b) -> ContrastiveDivergence"
    spec = load(Case("std/rbm", "ContrastiveDivergence", MACHINE, value, contrastive_divergence))
    inputs = drawn_inputs(spec.program, spec.program.models["Use"], 0)
    weights = spec.model("Use").weights()
    got = run(spec.program, spec.program.models["Use"], inputs, weights, double=True)["result"]
    np.testing.assert_allclose(got, contrastive_divergence(**inputs), rtol=1e-6)
