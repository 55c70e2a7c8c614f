"""Settings of `train` about speed: `precision`, `compile`, `channels_last`, `parallel`."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.declarations import Settings, one_word
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import PRECISIONS, Parallel
from dlspec.syntax import tree

SETTINGS = ("precision", "compile", "channels_last")

PARALLEL = "write `parallel = { data: 2 }`, or `{ data: 2, shard: full }`"


def speed_settings(settings: Settings, frame: Frame) -> dict[str, Any]:
    """The fields of `Training` that these settings give; those that the spec leaves open are left out."""
    get, attempt = settings.get, settings.attempt
    return {
        "precision": attempt(lambda: one_word("precision", get("precision"), "f32", list(PRECISIONS))),
        "compile": bool(attempt(lambda: _switch("compile", get("compile"), frame))),
        "channels_last": attempt(lambda: _switch("channels_last", get("channels_last"), frame)),
        "parallel": attempt(lambda: _parallel(get("parallel"), frame)),
    }


def _switch(name: str, expr: tree.Expr | None, frame: Frame) -> bool | None:
    value = None if expr is None else evaluate(expr, frame)
    if expr is not None and not isinstance(value, bool):
        raise fail("DLS0505", f"`{name}` must be true or false, not {describe(value)}", expr.span,
                   "neither true nor false", f"write `{name} = true`")  # fmt: skip
    return value


def _parallel(expr: tree.Expr | None, frame: Frame) -> Parallel | None:
    """`parallel = { data: 2, shard: full }`: processes over which batches, and with `shard` weights, are spread."""
    if expr is None:
        return None
    if not isinstance(expr, tree.Dict):
        raise fail("DLS0505", "`parallel` must be a dictionary", expr.span, "not a dictionary", PARALLEL)
    given = {key.id: value for key, value in expr.items}
    for key, _ in expr.items:
        if key.id not in ("data", "shard"):
            guess = closest(key.id, ["data", "shard"])
            hint = f"did you mean `{guess}`?" if guess else PARALLEL
            raise fail("DLS0501", f"`parallel` has no `{key.id}`", key.span, "unknown setting", hint)
    processes = evaluate(given["data"], frame) if "data" in given else None
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        span = given["data"].span if "data" in given else expr.span
        raise fail("DLS0505", "`parallel.data` must be a whole number of at least 1", span,
                   "how many processes?", PARALLEL)  # fmt: skip
    return Parallel(data=processes, shard=one_word("shard", given.get("shard"), "none", ["none", "full"]))
