"""Every mapping beside a shipped spec: it says where each weight of its models comes from, no tensor twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec.runtime.conversion import find_mapping, plan_for
from dlspec.weights.mapping import Mapping, read_mapping, schemes
from dlspec.zoo import specs

MAPPINGS = [(name, scheme) for name, path in specs().items() for scheme in schemes(Path(str(path)))]


def models_of(mapping: Mapping, spec: dlspec.Spec) -> list[str]:
    return list(mapping.models) or spec.models


@pytest.mark.parametrize(("name", "scheme"), MAPPINGS, ids=str)
def test_mapping(name: str, scheme: str) -> None:
    path = Path(str(specs()[name]))
    mapping = read_mapping(path.with_name(f"{path.stem}.{scheme}.toml"))
    assert mapping.text.startswith("# "), "a comment at the top says whose names they are"
    for model in models_of(mapping, dlspec.load(path)):
        spec = dlspec.load(path, set={f"{model}.{key}": value for key, value in mapping.needs.items()})
        plan = plan_for(spec.program, model, find_mapping(spec.program, model, scheme))
        sources = [source for recipe in plan.recipes.values() for source in recipe.sources()]
        assert len(set(sources)) == len(sources)
        assert not any(source in mapping.tied for source in sources)


def test_there_are_enough() -> None:
    assert len(MAPPINGS) >= 15
