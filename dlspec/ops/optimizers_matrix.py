"""Optimizers whose step depends on a weight as a whole, or on signs alone: Lion, LAMB, Adafactor, Muon.

Their weight decay is AdamW's: it stays out of what is remembered.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, NonNegativeFloat, PositiveFloat

from dlspec.ops._numpy import np
from dlspec.ops.optimizers import AdamW, Decay, Fraction, Optimizer, State


class Lion(Optimizer):
    """w -= lr (sign(b1 m + (1 - b1) g) + weight_decay w), then m = b2 m + (1 - b2) g (Chen et al. 2023)."""

    slots: ClassVar = ("mean",)
    examples: ClassVar = [{}, {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.1}]

    lr: PositiveFloat = 1e-4
    betas: tuple[Fraction, Fraction] = (0.9, 0.99)
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        first, second = self.betas
        sign = np.sign(first * state["mean"] + (1 - first) * grad)
        state["mean"] = second * state["mean"] + (1 - second) * grad
        return weight - self.lr * (sign + self.weight_decay * weight)


class LAMB(Optimizer):
    """r = m' / (sqrt(s') + eps) + weight_decay w; w -= lr |w| / |r| r (You et al. 2020).

    m' and s' are Adam's, |x| the norm of the whole weight; the ratio is 1 where one of the norms is 0.
    """

    slots: ClassVar = ("mean", "square")
    examples: ClassVar = [{}, {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.1}]

    lr: PositiveFloat = 1e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegativeFloat = 1e-6
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        first, second = self.betas
        state["mean"] = first * state["mean"] + (1 - first) * grad
        state["square"] = second * state["square"] + (1 - second) * grad * grad
        mean = state["mean"] / (1 - first ** (step + 1))
        square = state["square"] / (1 - second ** (step + 1))
        move = mean / (np.sqrt(square) + self.eps) + self.weight_decay * weight
        size, length = np.sqrt((weight**2).sum()), np.sqrt((move**2).sum())
        return weight - self.lr * (size / length if size > 0 and length > 0 else 1.0) * move


class Adafactor(Optimizer):
    """u = g / sqrt(v); w -= max(eps, rms(w)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / clip) (Shazeer and Stern 2018).

    v is the running mean of g^2 + 1e-30, whose share of the new is t^-0.8, t counted from 1; of a matrix only its
    means over rows and over columns are kept, r and c, and v = r c / mean(r). rms is the root of the mean of squares.
    """

    slots: ClassVar = ("square",)
    examples: ClassVar = [{}, {"lr": 0.5, "clip": 0.5, "eps": 0.01, "weight_decay": 0.1}]

    lr: PositiveFloat = 1e-2
    eps: NonNegativeFloat = 1e-3
    clip: PositiveFloat = 1.0
    weight_decay: NonNegativeFloat = 0.0
    decay: Decay = "all"

    def init_state(self, weight: Any) -> State:
        if weight.ndim != 2:
            return {"square": np.zeros_like(weight)}
        return {"rows": np.zeros_like(weight[:, :1]), "columns": np.zeros_like(weight[:1])}

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        share, square = (step + 1) ** -0.8, grad * grad + 1e-30
        new = {"square": square}
        if weight.ndim == 2:
            new = {"rows": square.mean(1, keepdims=True), "columns": square.mean(0, keepdims=True)}
        for name, value in new.items():
            state[name] = state[name] + share * (value - state[name])
        size = max(self.eps, np.sqrt((weight**2).mean()))
        weight = weight * (1 - self.lr * self.weight_decay)
        square = (
            state["rows"] * (state["columns"] / state["rows"].mean()) if weight.ndim == 2 else state["square"]
        )
        move = grad / np.sqrt(square)
        rate = size * min(self.lr, (step + 1) ** -0.5) / max(1.0, np.sqrt((move**2).mean()) / self.clip)
        return weight - rate * move


class Muon(Optimizer):
    """Matrices: m = a m + (1 - a) g; w -= lr (0.2 sqrt(max(rows, columns)) O + weight_decay w), a = `momentum`.

    O is a m + (1 - a) g (m without `nesterov`), divided by its norm, then brought near to an orthogonal matrix by
    `iterations` of X = 3.4445 X + (-4.775 S + 2.0315 S S) X, S = X X' (Jordan et al. 2024; factor: Liu et al. 2025).
    All else moves as by AdamW, with the same rate and decay: the factor makes both steps equally large.
    """

    slots: ClassVar = ("mean", "square")
    examples: ClassVar = [{}, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1, "nesterov": False}]

    lr: PositiveFloat = 1e-3
    momentum: Fraction = 0.95
    weight_decay: NonNegativeFloat = 0.1
    nesterov: bool = True
    iterations: Annotated[int, Field(ge=1, le=20)] = 5
    betas: tuple[Fraction, Fraction] = (0.9, 0.95)
    eps: NonNegativeFloat = 1e-8
    decay: Decay = "all"

    def update(self, weight: Any, grad: Any, state: State, step: int) -> Any:
        if weight.ndim != 2:
            other = AdamW(lr=self.lr, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay)
            return other.update(weight, grad, state, step)
        a = self.momentum
        state["mean"] = a * state["mean"] + (1 - a) * grad
        x = a * state["mean"] + (1 - a) * grad if self.nesterov else state["mean"]
        tall = weight.shape[0] > weight.shape[1]
        x = x.T if tall else x
        x = x / max(np.sqrt((x**2).sum()), 1e-7)
        for _ in range(self.iterations):
            square = x @ x.T
            x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
        x = x.T if tall else x
        return weight - self.lr * (0.2 * max(weight.shape) ** 0.5 * x + self.weight_decay * weight)
