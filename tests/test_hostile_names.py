"""A stranger's names: whatever a spec calls its things, what is printed compiles, runs and is the same.

`tests/emit/test_hostile.py` tests the pieces; here whole specs go through every printer.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from tests.hostile import NAMES, ONE, SEVERAL, files, named, outline, plain


@pytest.mark.parametrize("template", [ONE, SEVERAL], ids=["one", "several"])
def test_every_name_everywhere_prints_what_harmless_ones_do(template: str) -> None:
    key, *backends = ("MODEL", "torch", "keras", "onnx") if template is ONE else ("TRAIN", "torch", "keras")
    spec = dlspec.loads(template.format(**plain(template)))
    expected = {
        f: outline(t) for f, t in files(spec.program, plain(template)[key], backends) if f.endswith(".py")
    }
    for start in range(0, len(NAMES), 1 if template is ONE else 2):
        names = named(template, start)
        program = dlspec.loads(template.format(**names)).program
        for file, text in files(program, names[key], backends):
            if file.endswith(".py"):
                assert outline(text) == expected[file], (file, names)
        json.loads(program.model_dump_json())


@pytest.mark.parametrize("start", range(0, len(NAMES), 11))
def test_onnx_text_keeps_every_name(start: int) -> None:
    import onnx.parser

    names = named(ONE, start)
    spec = dlspec.loads(ONE.format(**names))
    graph = onnx.parser.parse_model(spec.model().code("onnx")).graph
    assert graph.name == names["MODEL"]
    assert [value.name for value in graph.input] == [names["COLUMN"]]
    assert [value.name for value in graph.output] == [names["OUTPUT"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "start"), [*(("torch", i) for i in range(0, len(NAMES), 9)), ("keras", 4), ("keras", 58)]
)
def test_every_name_computes_the_same(backend: str, start: int) -> None:
    import numpy as np
    import torch

    names = named(ONE, start)
    model = dlspec.loads(ONE.format(**names)).model()
    x = np.random.default_rng(start).normal(size=(3, 4)).astype("float32")
    with torch.no_grad():
        found = model.torch()(torch.from_numpy(x)) if backend == "torch" else model.keras()(x)
    np.testing.assert_allclose(
        np.asarray(found), model.session().run(None, {names["COLUMN"]: x})[0], atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "start"), [*(("torch", i) for i in range(0, len(NAMES), 9)), ("keras", 7)]
)
def test_trainings_run_with_every_name(backend: str, start: int, tmp_path: Path) -> None:
    import numpy as np

    from dlspec.runtime.project import load_project
    from dlspec.runtime.training import initial_weights
    from dlspec.weights.store import load_weights, save_weights

    names = named(SEVERAL, start)
    program = dlspec.loads(SEVERAL.format(**names)).program
    training = program.trainings[names["TRAIN"]]
    weights = initial_weights(program, training, 0)
    save_weights(tmp_path / "before", weights)
    project = load_project(print_project(program, training.name, load_backend(backend)))
    live = project.new_training()
    project.weights.load(live, tmp_path / "before")
    columns = {names["COLUMN"]: np.random.rand(4, 4).astype("float32"), names["LABEL"]: np.arange(4)}
    assert set(live.train_epoch(columns, 0, 0)) == {names["STEP1"], names["STEP2"]}
    assert set(live.evaluate(columns)) == {names["METRIC"]}
    project.weights.save(live, tmp_path / "after")
    assert set(load_weights(tmp_path / "after")) == set(weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"), [("save", "save2"), ("type", "type_"), ("_modules", "modules"), ("__a", "a"), ("_", "__")]
)  # fmt: skip
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_renamed_weights_find_their_way_back(backend: str, first: str, second: str) -> None:
    """What a framework has taken gets another name, which may be another block's own."""
    text = "block B{0} {{ input x: [N, D]  {1} = Linear(4)  output tanh({1}(x)) }}\n"
    text = text.format(1, first) + text.format(2, second)
    spec = dlspec.loads(
        text + "model M { input x: f32[N, 4]  output y = x -> B1 -> B2 -> repeat 2 { B1 -> B2 } }"
    )
    weights = spec.model().weights()
    assert (
        getattr(spec.model(), backend)(weights) is not None
    )  # loading checks that every weight has its place


def test_a_column_may_be_called_model() -> None:
    text = ONE.format(**plain(ONE) | {"COLUMN": "model", "LABEL": "loss"})
    assert dlspec.loads(text).program.trainings["Model"].metrics == ("metric",)


@pytest.mark.parametrize("start", range(0, len(NAMES), 23))
def test_commands_show_names_as_they_are(start: int, tmp_path: Path) -> None:
    names = named(ONE, start)
    spec = tmp_path / "[red]{{ 7*7 }} \x1b.dls"
    spec.write_text(ONE.format(**names))
    run = CliRunner()
    summary = run.invoke(cli, ["summary", str(spec)])
    assert summary.exit_code == 0
    first = summary.stdout.replace("\n", "")  # a very long name is broken off its line
    assert first.startswith(f"{names['MODEL']}: {names['COLUMN']}: f32[")
    assert json.loads(run.invoke(cli, ["summary", str(spec), "--json"]).stdout)["model"] == names["MODEL"]
    assert names["MODEL"] in json.loads(run.invoke(cli, ["ir", str(spec), "--json"]).stdout)["models"]
    for backend in ("torch", "keras", "onnx"):
        printed = run.invoke(cli, ["compile", str(spec), "--to", backend])
        assert printed.exit_code == 0, printed.output
        assert "\x1b" not in printed.stdout.replace("\x1b", "", int(backend == "onnx"))
