"""`data NAME { ... }`: where examples come from, their columns, the split and the preparation."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.augmentation import augmentations
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.buckets import bucket_of, check_bucket
from dlspec.elaborate.columns import Columns, column_places, columns_of
from dlspec.elaborate.declarations import Settings, one_word
from dlspec.elaborate.environment import SETTINGS as ENVIRONMENT
from dlspec.elaborate.environment import WORLDS, check_world, environment
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.session import Session
from dlspec.elaborate.sources import SourceError, kinds, source_arguments, source_columns
from dlspec.elaborate.splits import split_of, stratified
from dlspec.elaborate.statements import Run
from dlspec.elaborate.statistics import Statistics
from dlspec.elaborate.streaming import check_stream, stream_of
from dlspec.elaborate.values import Poisoned, Scope, describe
from dlspec.elaborate.vocabulary import check_texts, vocabulary
from dlspec.elaborate.windows import windowed, windows_of
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.data import Augmentation, Bucket, DataSet, Moment, Source, Windows
from dlspec.ir.dims import Symbolic, symbol
from dlspec.ir.types import TensorType, tensor
from dlspec.syntax import tree
from dlspec.syntax.source import Span

BATCH = symbol("N")
LAST_BATCH = ["keep", "drop", "fill"]
"""What becomes of the examples that do not fill the last batch of an epoch of training."""

SETTINGS = (
    "source", "columns", "split", "stratify", "shuffle", "seed", "prepare", "vocabulary", "last_batch", "augment",
    "windows", "stream", "bucket",
)  # fmt: skip


def data(item: tree.Declaration, builder: Any) -> DataSet:
    """The data set that a declaration describes. Nothing is read: that happens when training starts."""
    settings = Settings(item, [*SETTINGS, *ENVIRONMENT], builder.session)
    frame, get, attempt = builder.frame(), settings.get, settings.attempt
    bucket, source, found = _read(settings, frame)
    columns, found = (found.types if found else None), found or Columns()
    split = attempt(lambda: split_of(get("split"), columns, frame, found.categories))
    shares, rule = split or ({}, None)
    rule = attempt(lambda: stratified(get("stratify"), rule, columns))
    prepared, statistics, moments = None, None, {}
    if (prepare := settings.sections.get("prepare")) and columns:
        keys = attempt(lambda: _prepare(prepare, columns, item, builder, {*found.categories, *found.texts}))
        prepared, statistics, moments = keys or (None, None, {})
    windows = attempt(lambda: windows_of(get("windows"), rule, frame))
    augment = settings.sections.get("augment")
    made = DataSet.model_construct(
        name=item.name.id,
        source=source,
        columns=columns,
        categories=found.categories,
        texts=tuple(found.texts),
        bytes=found.bytes,
        split=shares,
        split_rule=rule,
        last_batch=attempt(lambda: one_word("last_batch", get("last_batch"), "keep", LAST_BATCH)),
        prepare=prepared,
        statistics=statistics,
        moments=moments,
        windows=windows,
        bucket=bucket,
        augment=attempt(lambda: _augment(augment, columns, prepared, windows, builder)) or (),
        vocabulary=attempt(lambda: vocabulary(get("vocabulary"), frame)),
        environment=attempt(lambda: environment(settings, source, frame)),
        shuffle=attempt(lambda: settings.flag("shuffle", frame)) is not False,
        stream=attempt(lambda: stream_of(get("stream"), frame)),
        seed=attempt(lambda: settings.whole("seed", 0, frame, 0)),
        doc=item.doc,
    )
    settings.finish()
    check_bucket(made, settings)
    check_texts(made, item, settings)
    if made.source.kind in WORLDS:
        check_world(made, item, settings)
        return made.model_copy(update={"split": {"play": 1.0}})
    check_stream(made, settings, builder, str(BATCH))
    return made


def _read(settings: Settings, frame: Frame) -> tuple[Bucket | None, Source | None, Columns | None]:
    """The bucket, the source and its columns; None where there is none, or where it was wrong."""
    attempt = settings.attempt
    bucket = attempt(lambda: bucket_of(settings.get("bucket"), frame))
    axis = bucket.axis if bucket else None
    wanted, columns = "write `columns = { image: f32[1, 8, 8], label: i64 }`", None
    if bucket or "bucket" not in settings.values:  # of a wrong one the axis is not known
        columns = attempt(lambda: columns_of(settings.require("columns", wanted), frame, axis))
    source = attempt(lambda: _source(settings.require("source", 'write `source = sklearn("digits")`'), frame))
    if source and columns:
        attempt(lambda: _check_names(source, columns.types, settings.item))
    return bucket, source, columns


def _source(expr: tree.Expr, frame: Frame) -> Source:
    call = expr if isinstance(expr, tree.Call) else None
    if call is None or not isinstance(call.function, tree.Name):
        raise fail("DLS0502", "a source is written as a call", expr.span, "not a call",
                   'write `sklearn("digits")` or `csv("file.csv")`')  # fmt: skip
    kind = call.function.id
    written = [name for name, each in kinds().items() if not each.get("outside")]
    if kind not in written:
        guess = closest(kind, written)
        hint = f"did you mean `{guess}`?" if guess else f"the sources are {', '.join(written)}"
        if kind in kinds():
            hint = "a spec runs no code: name it on the command line, `--source DATA=FILE.py:FUNCTION`"
        raise fail("DLS0502", f"`{kind}` is no source of data", call.function.span, "unknown source", hint)
    return _checked_source(kind, call, frame)


def _checked_source(kind: str, call: tree.Call, frame: Frame) -> Source:
    """The source with its arguments, which are all constants."""
    args: list[Any] = []
    options: dict[str, Any] = {}
    places: dict[str | int, Span] = {}
    for argument in call.arguments:
        value = plain(evaluate(argument.value, frame))
        key = len(args) if argument.name is None else argument.name.id
        places[key] = argument.span
        if isinstance(key, int):
            args.append(value)
        else:
            options[key] = value
    source = Source(kind=kind, args=tuple(args), options=options)
    try:
        source_arguments(source)
    except SourceError as error:
        span = call.span if error.key is None else places[error.key]
        given = str(
            error.key if isinstance(error.key, str) else args[error.key] if error.key is not None else ""
        )
        guess = closest(given, error.known)
        hint = (
            f"did you mean `{guess}`?"
            if guess
            else f"known are {', '.join(error.known)}"
            if error.known
            else None
        )
        label = "unknown to it" if error.known else "not what it takes"
        raise fail("DLS0516", error.message, span, label, hint) from None
    return source


def _check_names(source: Source, columns: dict[str, TensorType], item: tree.Declaration) -> None:
    """Columns that a source cannot have, where its columns are known before it is read."""
    known = source_columns(source)
    problems = []
    for name, place in column_places(item).items():
        if known is not None and name in columns and name not in known:
            guess = closest(name, known)
            hint = f"did you mean `{guess}`?" if guess else f"it has {', '.join(f'`{k}`' for k in known)}"
            message = f"the source `{source.kind}` has no column `{name}`"
            problems.append(Diagnostic("DLS0517", message, place, "not in the source", hint=hint))
    if problems:
        raise SpecError(problems)


def _prepare(
    section: tree.Section,
    columns: dict[str, TensorType],
    item: tree.Declaration,
    builder: Any,
    texts: Container[str],
) -> tuple[str, str | None, dict[str, Moment]]:
    """The graph from raw columns to prepared ones, with a batch axis in front; that of its statistics; these."""
    frame = column_frame(f"Prepare{item.name.id}", columns, builder, column_places(item))
    numbers = {name: kind for name, kind in columns.items() if name not in texts}
    statistics = Statistics(f"Statistics{item.name.id}", numbers)
    statistics.define(frame)
    run = Run(frame, None, None, False)
    run.statements(section.body.statements)
    if not run.fine:
        raise Poisoned
    for column in columns:
        value = frame.scope.names[column]
        if not isinstance(value, Handle):
            raise fail("DLS0508", f"`prepare` must leave the column `{column}` a tensor, not {describe(value)}",
                       frame.scope.spans.get(column) or section.name.span, "not a tensor")  # fmt: skip
        assert frame.builder is not None
        frame.builder.output(column, value)
    assert frame.builder is not None
    key = str(builder.session.add_graph(frame.builder.build(frame.final_names())))
    taken = str(builder.session.add_graph(statistics.builder.build())) if statistics.made else None
    return key, taken, statistics.made


def prepared_columns(
    columns: dict[str, TensorType], prepare: str | None, windows: Windows | None, session: Session
) -> dict[str, TensorType]:
    """The type of one example's columns after preparation."""
    if prepare is None:
        return windowed(columns, windows)
    graph = session.graphs[prepare]
    types = zip(graph.outputs, graph.output_types(), strict=True)
    return windowed({o.name: t.with_shape(t.shape[1:]) for o, t in types}, windows)


def _augment(
    section: tree.Section | None,
    columns: dict[str, TensorType] | None,
    prepare: str | None,
    windows: Windows | None,
    builder: Any,
) -> tuple[Augmentation, ...]:
    if section is None or columns is None:
        return ()
    return augmentations(
        section, prepared_columns(columns, prepare, windows, builder.session), builder.frame()
    )


def column_frame(
    name: str, columns: dict[str, TensorType], builder: Any, origins: dict[str, Span] | None = None
) -> Frame:
    """A frame in which every column is an input with a batch axis `N`; `origins` says where each is declared."""
    graph = Builder(name)
    frame = Frame(builder.session, Scope(builder.scope), graph)
    frame.scope.define("N", BATCH)
    for dim in {dim for kind in columns.values() for dim in kind.shape if isinstance(dim, Symbolic)}:
        frame.scope.define(str(dim), dim)
    for column, kind in columns.items():
        handle = graph.input(column, tensor(kind.dtype, (BATCH, *kind.shape)))
        frame.scope.define(column, handle)
        if origins and column in origins:
            frame.origins[handle.name] = origins[column]
    return frame
