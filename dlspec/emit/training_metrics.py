"""Printing metrics over an epoch: what each batch gives, and the function that makes metrics of all of it."""

from __future__ import annotations

from dataclasses import dataclass

from dlspec.emit.code import Code, quoted
from dlspec.emit.function import print_function
from dlspec.emit.manifest import Backend, load_backend
from dlspec.emit.templates import environment
from dlspec.ir.graph import Program
from dlspec.ir.types import TensorType
from dlspec.passes.totals import Split, split_totals


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """What the template needs of metrics over an epoch.

    kinds
        how parts are joined, in words.
    means, rows
        sets of names, as code; empty where there are none.
    body
        that of the function ``metrics(parts)``.
    to_numpy
        how the backend makes an array of a result, as code over ``value``.
    tables
        whether a metric is more than one number.
    """

    split: Split
    kinds: str
    means: str
    rows: str
    body: str
    to_numpy: str
    tables: bool

    @property
    def functions(self) -> str:
        """Those that join the parts of all batches, and that make metrics of them."""
        template = environment().get_template("common/metrics.py.jinja")
        return str(template.render(epoch=self, array=self.to_numpy)).rstrip()


def print_epoch_metrics(program: Program, key: str | None, backend: Backend) -> EpochMetrics | None:
    """The metrics of the evaluation `key`; None where they are all means of batches."""
    split = split_totals(program, key) if key is not None else None
    if key is None or split is None:
        return None
    numpy = load_backend("numpy")
    function = print_function(split.program, split.final, numpy, taken={"metrics", "parts"})
    final = split.program.graphs[split.final]
    types = dict(zip((o.name for o in final.outputs), final.output_types(), strict=True))
    casts = {node.output for node in final.nodes if node.op.spec_name() == "cast"}
    whole = {output.name for output in final.outputs if output.value in casts}
    results = {output.name: "" for output in program.graphs[key].outputs}
    for name in results:
        value = function.results.get(name, Code(f"parts[{quoted(name)}]"))
        results[name] = _plain(value, types.get(name), counted=name in whole)
    unpacked = [f"{variable} = parts[{quoted(name)}]" for name, variable in function.columns.items()]
    entries = ", ".join(f"{quoted(name)}: {value}" for name, value in results.items())
    return EpochMetrics(
        split,
        " or ".join(
            kind
            for kind, names in (("means", split.means), ("sums", split.sums), ("rows", split.rows))
            if names
        ),
        _set(split.means),
        _set(split.rows),
        "\n".join([*unpacked, *function.lines, f"return {{{entries}}}"]),
        str(backend.options["to_numpy"]),
        any(kind.rank for kind in types.values()),
    )


def _plain(value: str, kind: TensorType | None, counted: bool) -> str:
    """A value as JSON takes it; sums of whole numbers are `counted` as such already, or floating point."""
    if kind is None or kind.rank == 0:
        return f"float({value})"
    atom = value if value.isidentifier() else f"({value})"
    return f"{atom}.tolist()" if counted or kind.is_float else f"{atom}.astype(int).tolist()"


def _set(names: tuple[str, ...]) -> str:
    return f"{{{', '.join(map(quoted, names))}}}" if names else ""
