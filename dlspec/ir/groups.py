"""Weights that an optimizer moves with a learning rate or a weight decay of their own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """What is said of the weights under a path; None: nothing.

    path
        see `dlspec.ir.paths`; where a training has several models it begins with the name of one.
    lr
        the learning rate where it is constant.
    rate
        the key of its graph where it changes (as `Step.rate`).
    weight_decay
        in place of the optimizer's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    path: str
    lr: float | None = None
    rate: str | None = None
    weight_decay: float | None = None

    @property
    def has_rate(self) -> bool:
        """Whether it says something of the learning rate."""
        return self.lr is not None or self.rate is not None

    def over(self, other: Group) -> Group:
        """What holds where both are said, and this one later; its path is of no use."""
        lr, rate = (self.lr, self.rate) if self.has_rate else (other.lr, other.rate)
        decay = other.weight_decay if self.weight_decay is None else self.weight_decay
        return Group(path="", lr=lr, rate=rate, weight_decay=decay)
