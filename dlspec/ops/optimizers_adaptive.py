"""Optimizers that divide by the size of past gradients: NAdam, Adamax, Adadelta. The rules are PyTorch's."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat

from dlspec.ops._numpy import np
from dlspec.ops.optimizers import Decay, Fraction, Optimizer, State


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016): w -= lr (u' m / (1 - p u') + (1 - u) g / (1 - p)) / (sqrt(s') + eps).

    m, s and s' are Adam's; u = b1 (1 - 0.96^(t momentum_decay) / 2), u' is that of t + 1, p is the product of all u,
    t counted from 1.
    """

    slots: ClassVar = ("mean", "square")
    examples: ClassVar = [{}, {"lr": 0.05, "betas": (0.5, 0.9), "momentum_decay": 0.1, "weight_decay": 0.1}]

    lr: PositiveFloat = 2e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegativeFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    momentum_decay: NonNegativeFloat = 4e-3
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        first, second = self.betas
        now, later = (first * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (step + 1, step + 2))
        state["product"] = state.get("product", 1.0) * now
        state["mean"] = first * state["mean"] + (1 - first) * grad
        state["square"] = second * state["square"] + (1 - second) * grad * grad
        move = later * state["mean"] / (1 - state["product"] * later)
        move = move + (1 - now) * grad / (1 - state["product"])
        return weight - self.lr * move / (np.sqrt(state["square"] / (1 - second ** (step + 1))) + self.eps)


class Adamax(Optimizer):
    """m = b1 m + (1 - b1) g; u = max(b2 u, |g| + eps); w -= lr / (1 - b1^t) m / u (Kingma and Ba 2015)."""

    slots: ClassVar = ("mean", "largest")
    examples: ClassVar = [{}, {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-6, "weight_decay": 0.1}]

    lr: PositiveFloat = 2e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegativeFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        first, second = self.betas
        state["mean"] = first * state["mean"] + (1 - first) * grad
        state["largest"] = np.maximum(second * state["largest"], np.abs(grad) + self.eps)
        return weight - self.lr / (1 - first ** (step + 1)) * state["mean"] / state["largest"]


class Adadelta(Optimizer):
    """s = rho s + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(s + eps) g; w -= lr d (Zeiler 2012).

    u is the running mean of d^2, from before this step.
    """

    slots: ClassVar = ("square", "moved")
    examples: ClassVar = [{}, {"lr": 0.5, "rho": 0.5, "eps": 1e-4, "weight_decay": 0.1}]

    lr: PositiveFloat = 1.0
    rho: Fraction = 0.9
    eps: NonNegativeFloat = 1e-6
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        grad = grad + self.weight_decay * weight
        state["square"] = self.rho * state["square"] + (1 - self.rho) * grad * grad
        delta = np.sqrt(state["moved"] + self.eps) / np.sqrt(state["square"] + self.eps) * grad
        state["moved"] = self.rho * state["moved"] + (1 - self.rho) * delta * delta
        return weight - self.lr * delta
