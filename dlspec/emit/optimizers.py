"""How a backend writes an optimizer: ``backends/NAME/optimizers.toml`` and the classes in ``optimizers/``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.code import Code, call, literal
from dlspec.emit.manifest import Backend
from dlspec.ir.graph import Graph, Program, reached
from dlspec.ir.groups import Group
from dlspec.ir.training import OptimizerSpec, Training

PAIR = "two_vectors"
"""The function, and its file, that tells a variable that holds two vectors."""
SPARED = "decay_groups"
"""The file of what keeps weight decay to matrices."""
GROUPS = "in_groups"
"""The file of what gives groups of weights a rate or a decay of their own."""
KEYS = frozenset({"when", "text", "args", "kwargs", "needs", "decay"})


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer, printed: the expression that makes it, and the classes that the file needs for it."""

    expression: Code
    helpers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Weights:
    """What the classes of optimizers must know of the weights that they move, and print no more than that.

    decaying
        the optimizers of the file with weight decay, if only for a group.
    paired
        whether a variable may hold two vectors, which rules for matrices must know.
    rows
        whether a gradient may be that of some rows.
    """

    decaying: Collection[str] = ()
    paired: bool = False
    rows: bool = False


def weights_moved(program: Program, training: Training, backend: Backend) -> Weights:
    """What the optimizers of a training must know."""
    graphs = [program.graphs[key] for key in reached(program.graphs, [step.graph for step in training.steps])]
    named = (step.optimizer.spec_name() for step in training.steps if _decays(step.optimizer, step.groups))
    kinds = {node.op.spec_name() for graph in graphs for node in graph.nodes}
    rows = not kinds.isdisjoint(backend.options.get("gradients_of_rows", ()))
    return Weights(frozenset(named), _keeps_pairs(graphs, backend), rows)


def print_optimizer(
    backend: Backend,
    spec: OptimizerSpec,
    parameters: str,
    weights: Weights | None = None,
    fused: bool = True,
    groups: Sequence[str] = (),
) -> Optimizer:
    """The optimizer `spec` over `parameters`, an expression. Raises `SpecError` (DLS0701, DLS0706).

    weights
        what is known of these; without it, what the optimizer alone says.
    fused
        whether one that can go over all weights in one pass is told to.
    groups
        expressions of groups with a rate or a decay of their own.
    """
    fields = {name: getattr(spec, name) for name in type(spec).model_fields}
    rule = spec.spec_name()
    row = _row(backend, rule, fields, general=bool(groups))
    weights = weights or Weights({rule} if _decays(spec) else ())
    told = {**asdict(weights), "decay": row.get("decay", "decay") if rule in weights.decaying else ""}
    texts = {name: _class(backend, name, told) for name in _around(backend, fields, groups)}
    for name in (name for name, text in texts.items() if "BASE" not in text):
        parameters = f"{name}({', '.join([parameters, *(groups if name == GROUPS else ())])})"
    values, kwargs = {**fields, "parameters": Code(parameters)}, []
    for name, entry in row.get("kwargs", {}).items():
        source, *default = entry if isinstance(entry, list) else (None,)
        value = values[source] if source else entry
        if [_plain(value)] != default and (fused or name != "fused"):
            kwargs.append((name, literal(value)))
    args = [literal(values[name]) for name in row.get("args", ())]
    helpers = {name: _class(backend, name, told) for name in row.get("needs", ())}
    called = row["text"]
    for name, text in texts.items():
        if "BASE" in text:
            text = text.replace("BASE", called)
            name = called = text.removeprefix("class ").partition("(")[0]
        helpers[name] = text
    if groups and "parameters" not in row.get("args", ()):
        kwargs.append(("groups", Code(f"[{', '.join(groups)}]")))
    if any(f"{PAIR}(" in helper for helper in helpers.values()):
        helpers = {PAIR: _class(backend, PAIR, told), **helpers}
    return Optimizer(call(called, args, kwargs), helpers)


def _keeps_pairs(graphs: Iterable[Graph], backend: Backend) -> bool:
    """Whether a layer keeps two weights of the spec in one variable."""
    nodes = [(graph, node) for graph in graphs for node in graph.nodes if node.weights]
    rows = [(node, backend.row(node.op, graph.input_types(node))) for graph, node in nodes]
    return any(row and "[" in row.native(local).name for node, row in rows for local in node.weights)


def _decays(spec: OptimizerSpec, groups: Sequence[Group] = ()) -> bool:
    given = ("weight_decay", 0.0), ("decay", "all")
    own = any(getattr(spec, field, default) != default for field, default in given)
    return own or any(group.weight_decay for group in groups)


def _class(backend: Backend, name: str, told: Mapping[str, Any]) -> str:
    """A file of ``optimizers/``: as it is, or a template."""
    file = backend.folder / "optimizers" / f"{name}.py"
    if file.is_file():
        return file.read_text("utf-8").strip()
    text: str = backend.template(f"optimizers/{name}.py.jinja").render(told)
    return text.strip()


def _around(backend: Backend, fields: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
    """The files of what the optimizer's parameters, or its class, are wrapped in; the innermost first."""
    spared = fields.get("decay") == "matrices"
    if not groups:
        return [SPARED] if spared else []
    return [name for name in backend.options["groups"]["around"] if spared or name == GROUPS]


def _row(backend: Backend, name: str, fields: Mapping[str, Any], general: bool) -> Mapping[str, Any]:
    """How an optimizer of these fields is written; `general`: so that groups may have others."""
    for row in _table(backend).get(name, ()):
        if unknown := set(row) - KEYS:
            raise fail(
                "DLS0701", f"backends/{backend.name}/optimizers.toml: {name}: unknown key `{min(unknown)}`"
            )
        when = row.get("when", {})
        if not (general and when) and all(fields.get(key) == wanted for key, wanted in when.items()):
            return dict(row)
    raise fail("DLS0706", f"the {backend.name} backend cannot train with `{name}`")


def _table(backend: Backend) -> Mapping[str, Any]:
    file = backend.folder / "optimizers.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
