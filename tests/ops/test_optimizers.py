"""Optimizers against torch's, and the survey's rule against itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.ir.training import Step
from dlspec.ops.optimizers import Momentum, optimizers

OWN = {"Momentum", "Lion", "LAMB", "Adafactor", "Muon"}
"""What torch has not, or as another rule: tests/runtime/test_trajectories.py has these."""

EXAMPLES = [
    pytest.param(name, fields, id=f"{name}-{number}")
    for name, cls in optimizers().items()
    if name not in OWN
    for number, fields in enumerate(cls.examples)
]


def _gradient(weight, step):
    return np.sin(weight * 3) + 0.1 * step


@pytest.mark.parametrize(("name", "fields"), EXAMPLES)
def test_an_optimizer_moves_as_torchs_does(name, fields):
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which NAdam keeps a product
    try:
        _moves_alike(torch, name, fields)
    finally:
        torch.set_default_dtype(before)


def _moves_alike(torch, name, fields):
    optimizer = optimizers()[name](**fields)
    weight = np.linspace(-1, 2, 6)
    parameter = torch.nn.Parameter(torch.tensor(weight))
    theirs = getattr(torch.optim, name)([parameter], **fields if fields else {"lr": optimizer.lr})
    state = optimizer.init_state(weight)
    for step in range(6):
        gradient = _gradient(weight, step)
        parameter.grad = torch.tensor(gradient)
        theirs.step()
        weight = optimizer.update(weight, gradient, state, step)
        np.testing.assert_allclose(weight, parameter.detach().numpy(), rtol=1e-10)


def test_defaults_are_torchs():
    import inspect

    import torch

    for name, cls in optimizers().items():
        if name in OWN:
            continue
        parameters = inspect.signature(getattr(torch.optim, name)).parameters
        for field, info in cls.model_fields.items():
            if field in parameters and not info.is_required():
                assert info.default == parameters[field].default, f"{name}.{field}"


def test_momentum_is_the_surveys_rule_from_the_first_step():
    rule = Momentum(lr=0.5, momentum=0.9)
    weight, state = np.array(1.0), rule.init_state(np.array(1.0))
    weight = rule.update(weight, np.array(2.0), state, 0)
    assert weight == pytest.approx(1 - 0.1 * 0.5 * 2)
    weight = rule.update(weight, np.array(-1.0), state, 1)
    assert weight == pytest.approx(1 - 0.1 - (0.9 * 0.1 + 0.1 * 0.5 * -1))


@pytest.mark.parametrize(("name", "fields"), EXAMPLES)
def test_an_optimizer_survives_json(name, fields):
    step = Step(
        name="step", graph="g", updates=("model",), optimizer=optimizers()[name](**{"lr": 0.1, **fields})
    )
    assert Step.model_validate(json.loads(step.model_dump_json())) == step


@pytest.mark.parametrize("name", optimizers())
def test_an_optimizer_is_documented(name):
    assert optimizers()[name].__doc__


def test_impossible_settings_are_refused():
    with pytest.raises(ValidationError, match="nesterov"):
        optimizers()["SGD"](lr=0.1, nesterov=True)
    with pytest.raises(ValidationError):
        optimizers()["Adam"](lr=-1)
