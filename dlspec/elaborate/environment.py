"""Worlds to play in, as a source of data: what is remembered, how often actions are random, and the policy."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.declarations import Settings, entries
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.builder import Handle
from dlspec.ir.data import DataSet, Environment, Source
from dlspec.ir.graph import Graph
from dlspec.syntax import tree

WORLDS = ("gymnasium",)
SETTINGS = ("replay", "explore")
COLUMNS = "columns = { state: f32[4], action: i64, reward: f32, next_state: f32[4], terminal: f32 }"
ROLES = {"action": ("i64", 0), "reward": ("f32", 0), "terminal": ("f32", 0)}  # element type and rank
POLICY = "write `policy = argmax(Q(state), axis = 1)`"

# The entries of each setting: the field, and whether it is a share rather than a number of steps.
ENTRIES = {
    "replay": {"size": ("replay", False), "start": ("start", False), "every": ("every", False)},
    "explore": {"first": ("first", True), "last": ("last", True), "steps": ("steps", False)},
}
EXAMPLES = {
    "replay": "write `replay = { size: 10000, start: 1000, every: 1 }`",
    "explore": "write `explore = { first: 1, last: 0.05, steps: 10000 }`",
}
NOT_IN_WORLDS = {
    "epochs": ("there are no epochs", "leave it out: `max_steps` says how long it plays"),
    "metrics": (
        "there are no examples held out",
        "leave it out: the return of the last episodes is measured",
    ),
    "on_plateau": ("there are no epochs", "write the rate as an expression of `step`, or leave it out"),
}
RETURN = "return"
"""What a world is judged by: the mean return of the last episodes."""


def environment(settings: Settings, source: Source | None, frame: Frame) -> Environment | None:
    """`replay` and `explore` of a world; None where the source is none."""
    if source is None:
        return None
    if source.kind not in WORLDS:
        for name in SETTINGS:
            if name in settings.values:
                raise fail("DLS0505", f"`{name}` is for worlds, and the source is `{source.kind}`",
                           settings.values[name].name.span, "nobody plays", "leave it out")  # fmt: skip
        return None
    fields: dict[str, Any] = {}
    for name in SETTINGS:
        fields |= _entries(name, settings.get(name), frame)
    made = Environment(**fields)
    if made.start > made.replay:
        raise fail("DLS0505", f"learning starts after {made.start} steps, but only {made.replay} are kept",
                   settings.values["replay"].value.span, "never starts", EXAMPLES["replay"])  # fmt: skip
    return made


def _entries(name: str, expr: tree.Expr | None, frame: Frame) -> dict[str, Any]:
    """The entries of a setting, as fields."""
    if expr is None:
        return {}
    fields: dict[str, Any] = {}
    for key, written in entries(name, expr, list(ENTRIES[name]), EXAMPLES[name]).items():
        field, is_share = ENTRIES[name][key]
        value = evaluate(written, frame)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_share and not (number and 0 <= value <= 1):
            raise fail("DLS0505", f"`{key}` must be a number from 0 to 1, not {describe(value)}",
                       written.span, "no share", EXAMPLES[name])  # fmt: skip
        if not is_share and not (number and isinstance(value, int) and value >= 1):
            raise fail("DLS0505", f"`{key}` must be a whole number of at least 1, not {describe(value)}",
                       written.span, "not 1 or more", EXAMPLES[name])  # fmt: skip
        fields[field] = value
    return fields


def check_world(data: DataSet, item: tree.Declaration, settings: Settings) -> None:
    """The columns are those of a transition, and nothing is set that only stored examples have."""
    for name in ("split", "stratify", "shuffle", "prepare", "seed", "stream"):
        if name in settings.values or name in settings.sections:
            entry = settings.values.get(name) or settings.sections[name]
            raise fail("DLS0505", f"a world has no `{name}`: its examples come from playing", entry.name.span,
                       "there is nothing to do it to", "leave it out")  # fmt: skip
    kinds = data.columns
    fine = set(kinds) == {"state", "next_state", *ROLES}
    fine = fine and all((kinds[n].dtype, kinds[n].rank) == role for n, role in ROLES.items())
    if not fine or data.categories or data.texts or data.bytes or kinds["state"] != kinds["next_state"]:
        raise fail("DLS0505", "the columns of a world are those of one transition",
                   settings.values["columns"].value.span, "others", f"write `{COLUMNS}`")  # fmt: skip


def check_play(settings: Settings, data: DataSet) -> None:
    """A training in a world has a policy and a number of steps, and nothing that goes by epochs; others have none."""
    if data.environment is None:
        if "policy" in settings.values:
            raise fail("DLS0505", "`policy` is for worlds: `data` with `source = gymnasium(...)`",
                       settings.values["policy"].name.span, "nobody plays", "leave it out")  # fmt: skip
        return
    settings.require("policy", POLICY)
    settings.require("max_steps", "write `max_steps = 20000`: how long it plays")
    for name, (why, hint) in NOT_IN_WORLDS.items():
        if name in settings.values:
            raise fail("DLS0505", f"`{name}` is for stored examples, and `{data.name}` is a world",
                       settings.values[name].name.span, why, hint)  # fmt: skip
    saved = settings.get("checkpoint")
    if isinstance(saved, tree.Dict) and "steps" not in {key.id for key, _ in saved.items}:
        raise fail("DLS0505", f"`checkpoint` must say after how many steps: `{data.name}` is a world", saved.span,
                   "there are no epochs", "write `checkpoint = { steps: 1000 }`")  # fmt: skip


def best_action(expr: tree.Expr, frame: Frame) -> Handle:
    """The value of `policy`: an action for each state."""
    value = evaluate(expr, frame)
    if not isinstance(value, Handle) or value.type.dtype != "i64" or value.type.rank != 1:
        raise fail("DLS0416", f"`policy` must be an action for each state, i64[N], not {describe(value)}",
                   expr.span, "no action", POLICY)  # fmt: skip
    return value


def check_policy(expr: tree.Expr, graph: Graph) -> None:
    """A policy knows nothing but the state."""
    known = [value.name for value in graph.inputs if value.name != "state"]
    if known:
        raise fail("DLS0505", f"`policy` chooses by the state alone, and this uses `{known[0]}`", expr.span,
                   "known only afterwards", POLICY)  # fmt: skip
