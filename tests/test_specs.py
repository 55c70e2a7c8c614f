"""Every spec that comes with dlspec: it says what it is, has the size it must, and computes the same everywhere."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest
from pydantic import ValidationError

import dlspec
from dlspec._data import data_path
from dlspec.diagnostics import SpecError
from dlspec.zoo import LIBRARY, Entry, Fact, Size, about, entries, locate, specs

SIZES = [(entry, size) for entry in entries() for size in entry.fact.sizes]
BY_SPEC = {name: [entry for entry in entries() if entry.spec == name] for name in specs()}
LIBRARY_FILES = sorted((Path(str(data_path("specs"))) / LIBRARY).glob("*.dls"))


@cache
def loaded(name: str) -> dlspec.Spec:
    return dlspec.load(specs()[name])


@pytest.mark.parametrize("name", specs())
def test_spec(name: str) -> None:
    """It checks, says what it is, and has a fact for every model and no other; each with the exact counts."""
    spec = loaded(name)
    assert len(about(specs()[name])) >= 30, "a comment at the top says what it is and where it comes from"
    assert set(spec.models) == {entry.model for entry in BY_SPEC[name]}, "facts.toml has a table a model"
    for entry in BY_SPEC[name]:
        assert entry.fact.source
        assert not entry.fact.differences(spec.model(entry.model).summary()), str(entry)


@pytest.mark.parametrize(("entry", "size"), SIZES, ids=lambda each: getattr(each, "name", str(each)))
def test_published_size(entry: Entry, size: Size) -> None:
    assert not size.differences(dlspec.load(entry.path, set=size.set).model(entry.model).summary())


@pytest.mark.parametrize("path", LIBRARY_FILES, ids=lambda path: path.stem)
def test_library_file(path: Path) -> None:
    """It checks by itself, says what it has, and holds no models."""
    assert not dlspec.load(path).models
    assert about(path)


@pytest.mark.parametrize("entry", [e for e in entries() if e.fact.small.tolerance is not None], ids=str)
def test_a_looser_tolerance_has_a_reason(entry: Entry) -> None:
    assert entry.fact.small.why


def test_shipped_specs_have_names() -> None:
    assert locate("zoo:survey/cnn") == locate("zoo:cnn") == specs()["survey/cnn"]
    assert locate("here/net.dls") == Path("here/net.dls")
    with pytest.raises(SpecError, match="DLS0810"):
        locate("zoo:survey/cmm")


@pytest.mark.parametrize("wrong", ["kind = 3", "parameters = 'many'", "sizes = [{ name = 'x' }]"])
def test_facts_are_checked(wrong: str) -> None:
    """A key that means nothing, a value of the wrong kind, a size without counts."""
    fine = {"parameters": 1, "macs": "2 * T", "source": "made up"}
    Fact.model_validate(fine)
    with pytest.raises(ValidationError):
        Fact.model_validate({**fine, **tomllib.loads(wrong)})


@pytest.mark.slow
@pytest.mark.parametrize("name", specs())
def test_same_numbers_everywhere(name: str) -> None:
    """Outputs on all backends and gradients; the heavy ones are compared by `make zoo`."""
    from dlspec.runtime.verify import verify

    light = [entry for entry in BY_SPEC[name] if not entry.fact.heavy]
    if not light:
        pytest.skip("heavy: `make zoo` compares it")
    for entry in light:
        small = entry.fact.small
        program = dlspec.load(entry.path, set=small.set).program
        report = verify(program, entry.model, backends=["torch", "keras", "onnx"], tolerance=small.tolerance)
        assert report.ok, report
        compared = {(check.what.split()[0], check.right) for check in report.checks}
        wanted = {("outputs", "Keras"), ("outputs", "ONNX"), ("outputs", "reference"), ("gradients", "Keras")}
        assert compared == wanted or (report.notes and compared == wanted - {("gradients", "Keras")})
