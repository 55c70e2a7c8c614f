"""The optimizers: how a weight moves along its gradient. The rules are PyTorch's, in its names.

`state` is what an optimizer remembers of one weight: arrays of its shape, by name. `update` gives the new
weight, and changes `state` in place. Steps count from 0. Weight decay is added to the gradient, except in
`AdamW`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from dlspec.ir.training import OptimizerSpec
from dlspec.ops._numpy import np

Fraction = Annotated[float, Field(ge=0, lt=1)]
State = dict[str, Any]
Decay = Literal["all", "matrices"]
"""What weight decay is for: biases and norms are vectors."""


class Optimizer(OptimizerSpec):
    """Base: `lr` is the learning rate; `slots` names the arrays that are remembered, zero at first."""

    slots: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[list[dict[str, Any]]] = [{"lr": 0.1}]

    lr: PositiveFloat

    @model_validator(mode="after")
    def _decay_of_matrices(self) -> Optimizer:
        if getattr(self, "decay", "all") == "matrices" and not getattr(self, "weight_decay", 0):
            raise ValueError("`decay` says what decays, and needs a `weight_decay`")
        return self

    def of(self, weight: Any) -> Optimizer:
        """The optimizer as it moves this weight: vectors, as of biases and norms, may not decay."""
        spared = getattr(self, "decay", "all") == "matrices" and weight.ndim < 2
        return self.model_copy(update={"weight_decay": 0.0}) if spared else self

    def init_state(self, weight: Any) -> State:
        """What is remembered of `weight` before the first step."""
        return {slot: np.zeros_like(weight) for slot in self.slots}

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        """The weight after step number `step`."""
        raise NotImplementedError(type(self).__name__)


class SGD(Optimizer):
    """g = dL/dw + weight_decay w; v = momentum v + (1 - dampening) g (v = g at first); w -= lr v.

    With `nesterov` w -= lr (g + momentum v) (Sutskever et al. 2013). The rate is outside of v.
    """

    slots: ClassVar = ("velocity",)
    examples: ClassVar = [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.5},
    ]

    momentum: NonNegativeFloat = 0.0
    dampening: float = 0.0
    weight_decay: NonNegativeFloat = 0.0
    nesterov: bool = False
    decay: Decay = "all"

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> SGD:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("`nesterov` needs a momentum and no dampening")
        return self

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        if self.momentum == 0:
            return weight - self.lr * grad
        share = 1 if step == 0 else 1 - self.dampening
        state["velocity"] = self.momentum * state["velocity"] + share * grad
        move = grad + self.momentum * state["velocity"] if self.nesterov else state["velocity"]
        return weight - self.lr * move


class Momentum(Optimizer):
    """delta = a delta + (1 - a) lr dL/dw; w -= delta, with a = `momentum`, from the first step on.

    The survey's own rule, exactly: the rate is inside, so that a change of rate is felt gradually.
    """

    slots: ClassVar = ("delta",)
    examples: ClassVar = [{"lr": 0.5}, {"lr": 0.5, "momentum": 0.5}]

    momentum: Fraction = 0.9

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        state["delta"] = self.momentum * state["delta"] + (1 - self.momentum) * self.lr * grad
        return weight - state["delta"]


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; w -= lr m' / (sqrt(s') + eps) (Kingma and Ba 2015).

    m' and s' are m / (1 - b1^t) and s / (1 - b2^t), t counted from 1; `betas` are b1 and b2.
    """

    slots: ClassVar = ("mean", "square")
    examples: ClassVar = [{}, {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-6, "weight_decay": 0.1}]

    lr: PositiveFloat = 1e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegativeFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        return self._move(weight, grad + self.weight_decay * weight, state, step)

    def _move(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        first, second = self.betas
        state["mean"] = first * state["mean"] + (1 - first) * grad
        state["square"] = second * state["square"] + (1 - second) * grad * grad
        mean = state["mean"] / (1 - first ** (step + 1))
        square = state["square"] / (1 - second ** (step + 1))
        return weight - self.lr * mean / (np.sqrt(square) + self.eps)


class AdamW(Adam):
    """Adam after w -= lr weight_decay w: the decay stays out of m and s (Loshchilov and Hutter 2019)."""

    weight_decay: NonNegativeFloat = 0.01

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        return self._move(weight * (1 - self.lr * self.weight_decay), grad, state, step)


class RMSprop(Optimizer):
    """s = alpha s + (1 - alpha) g^2; v = momentum v + g / (sqrt(s) + eps); w -= lr v (Hinton 2012).

    With `centered` the root is of s - m^2, m the running mean of g.
    """

    slots: ClassVar = ("square", "mean", "velocity")
    examples: ClassVar = [
        {},
        {"lr": 0.05, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1},
        {"lr": 0.05, "centered": True},
    ]

    lr: PositiveFloat = 1e-2
    alpha: Fraction = 0.99
    eps: NonNegativeFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    momentum: NonNegativeFloat = 0.0
    centered: bool = False
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        state["square"] = self.alpha * state["square"] + (1 - self.alpha) * grad * grad
        variance = state["square"]
        if self.centered:
            state["mean"] = self.alpha * state["mean"] + (1 - self.alpha) * grad
            variance = variance - state["mean"] ** 2
        state["velocity"] = self.momentum * state["velocity"] + grad / (np.sqrt(variance) + self.eps)
        return weight - self.lr * state["velocity"]


class Adagrad(Optimizer):
    """s = s + g^2; w -= lr / (1 + t lr_decay) g / (sqrt(s) + eps), t counted from 0 (Duchi et al. 2011)."""

    slots: ClassVar = ("sum",)
    examples: ClassVar = [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    ]

    lr: PositiveFloat = 1e-2
    lr_decay: NonNegativeFloat = 0.0
    weight_decay: NonNegativeFloat = 0.0
    initial_accumulator_value: NonNegativeFloat = 0.0
    eps: NonNegativeFloat = 1e-10
    decay: Decay = "all"

    def init_state(self, weight: Any) -> State:
        return {"sum": np.full_like(weight, self.initial_accumulator_value)}

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        state["sum"] = state["sum"] + grad * grad
        rate = self.lr / (1 + step * self.lr_decay)
        return weight - rate * grad / (np.sqrt(state["sum"]) + self.eps)


@cache
def optimizers() -> dict[str, type[Optimizer]]:
    """All optimizers by their name in a spec."""
    from dlspec.ops import optimizers_adaptive, optimizers_matrix  # noqa: F401 (they define some)

    found: dict[str, type[Optimizer]] = {}
    todo = list(Optimizer.__subclasses__())
    for cls in todo:
        found[cls.spec_name()] = cls
        todo.extend(cls.__subclasses__())
    return found
