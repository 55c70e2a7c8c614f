"""What a spec says about speed, in the printed code; and that it computes the same."""

from __future__ import annotations

import pytest

from dlspec.api import loads
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project

SPEC = """
model Net(classes = 10) {
  input image: f32[N, 1, 8, 8]
  output logits = image -> LAYER -> relu -> flatten -> Linear(classes)
}

data Digits {
  source  = sklearn("digits")
  columns = { image: f32[1, 8, 8], label: i64 }
  prepare { image = image / 16 }
}

train Net on Digits {
  loss      = cross_entropy(logits, label)
  optimizer = Adam(lr = 1e-3)
  metrics   = { accuracy: accuracy(logits, label) }
  max_steps = 20
  SETTINGS
}
"""


def files(backend: str, settings: str = "", layer: str = "Conv2d(8, 3)") -> dict[str, str]:
    program = loads(SPEC.replace("SETTINGS", settings).replace("LAYER", layer)).program
    return print_project(program, "Net", load_backend(backend))


def printed(backend: str, settings: str = "", layer: str = "Conv2d(8, 3)") -> str:
    return files(backend, settings, layer)["train.py"]


def test_images_are_channels_last_where_that_is_quicker() -> None:
    line = "training.to(memory_format=torch.channels_last)"
    assert line in printed("torch")
    assert line not in printed("torch", layer="flatten")
    assert line not in printed("torch", "channels_last = false")
    assert line in printed("torch", "channels_last = true", layer="flatten")


def test_pooling_comes_first() -> None:
    """Where a smaller max-pooling alone reads a `relu`, in PyTorch, and unless the spec says no."""

    def pools_first(*project: str) -> bool:
        before, after = files(*project)["model.py"].partition("def forward")[2].partition("self.conv(")[::2]
        return "max_pool" in after and "relu" not in before + after.partition("max_pool")[0]

    layer = "Conv2d(8, 3) -> relu -> MaxPool2d(2)"
    assert pools_first("torch", "", layer)
    assert "Max-pooling comes before relu" in printed("torch", layer=layer)
    for backend, settings, kept in [
        ("torch", "pool_first = false", layer),
        ("torch", "", "Conv2d(8, 3) -> relu -> MaxPool2d(2, stride = 1)"),
        ("torch", "", "Conv2d(8, 3) -> relu -> AvgPool2d(2)"),
        ("keras", "", layer),
    ]:
        assert not pools_first(backend, settings, kept), (backend, settings, kept)
        assert "Max-pooling" not in printed(backend, settings, kept)


def test_pooling_first_changes_no_number() -> None:
    """Neither losses nor gradients, where all of a window is below 0, too."""
    torch = pytest.importorskip("torch")
    results = []
    for settings in ("", "pool_first = false"):
        layer = "Conv2d(2, 3) -> relu -> MaxPool2d(2)"
        learner = load_project(files("torch", settings, layer)).new_training()
        torch.manual_seed(0)
        for weight in learner.parameters():
            torch.nn.init.normal_(weight, -0.2)
        batch = {"image": torch.rand(16, 1, 8, 8), "label": torch.arange(16) % 10}
        loss = learner.loss(batch)
        loss.backward()
        results.append([loss, *(weight.grad for weight in learner.parameters())])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def test_low_precision_is_of_models_only() -> None:
    torch, keras = printed("torch", "precision = bf16"), printed("keras", "precision = bf16")
    assert "model.forward = torch.autocast(DEVICE, torch.bfloat16)(model.forward)" in torch
    assert torch.count("self.model(image).to(torch.float32)") == 2
    assert "scaler" not in torch
    assert 'keras.config.set_dtype_policy("mixed_bfloat16")' in keras
    assert keras.count("ops.cast(self.model(image), keras.config.floatx())") == 2
    for backend in ("torch", "keras"):
        assert "autocast" not in printed(backend)
        assert "policy" not in printed(backend)


def test_half_precision_scales_its_loss() -> None:
    assert "self.scaler.scale(loss).backward()" in printed("torch", "precision = fp16")
    assert "LossScaleOptimizer(Adam(0.001))" in printed("keras", "precision = fp16")


def test_steps_are_compiled_when_asked() -> None:
    assert '{"loss": torch.compile(self.loss)}' in printed("torch", "compile = true")
    assert "jit_compile=True" in printed("keras", "compile = true")
    assert "compile(self.loss)" not in printed("torch")
    assert "jit_compile" not in printed("keras")


def test_one_pass_over_all_weights() -> None:
    assert "# Fused: one pass" in printed("torch")
    assert "fused=True" in printed("torch")
    assert "used" not in printed("torch", "fused = false").partition("self.optimizers")[2].partition("}")[0]
    assert "Fused" not in printed("torch", "fused = false") + printed("keras")


def test_one_call_of_keras_does_several_steps() -> None:
    """As many as the spec says, or few enough for their batches to be small; one where something comes between two."""
    assert "STEPS = 32" in printed("keras")
    assert "STEPS = 8" in printed("keras", "steps_per_execution = 8")
    assert "STEPS = 31" in printed("keras", "batch_size = 128")  # 1 MiB
    for settings in ("steps_per_execution = 1", "batch_size = 10000000", "compile = true", "ema = 0.9", "log = 2",
                     "checkpoint = { steps: 5 }", "accumulate = 2", "on_plateau = { metric: loss }"):  # fmt: skip
        assert "\nSTEPS =" not in printed("keras", settings), settings
    assert "\nSTEPS =" not in printed("torch", "steps_per_execution = 8")


def test_several_steps_in_one_call_change_no_number() -> None:
    """To the last bit: running statistics and dropout, and the batch at the end that is smaller, too."""
    keras, results = pytest.importorskip("keras"), []
    for steps in (1, 3):
        layer = "Conv2d(2, 3) -> BatchNorm -> Dropout(0.5)"
        settings = f"batch_size = 100 steps_per_execution = {steps}"
        live = load_project(files("keras", settings, layer))
        keras.utils.set_random_seed(0)
        learner = live.new_training()
        losses = learner.train_epoch({n: a[:750] for n, a in live.data.load("train").items()}, 0, 0)
        results.append([*losses.values(), *(w.numpy() for w in learner.model.weights)])
    (loss, *weights), (other_loss, *others) = results
    assert loss == pytest.approx(other_loss, rel=1e-6)
    assert [w.tobytes() for w in weights] == [w.tobytes() for w in others]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_low_precision_learns_what_f32_does(backend: str, precision: str, tmp_path) -> None:
    import json

    from dlspec.runtime.project import run_training, write_project

    losses = []
    for settings in ("", f"precision = {precision}"):
        program = loads(SPEC.replace("SETTINGS", settings).replace("LAYER", "flatten -> Linear(32)")).program
        folder = tmp_path / (settings[-4:] or "f32")
        write_project(print_project(program, "Net", load_backend(backend)), folder)
        run_training(folder, ["--out", str(folder / "run")])
        losses.append(json.loads((folder / "run" / "metrics.json").read_text())["results"]["test"]["loss"])
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)
