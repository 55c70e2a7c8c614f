"""Types as written in a spec: declared, bound to an actual tensor, or checked against one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.dims import Symbolic, symbol
from dlspec.ir.types import DTYPES, TensorType, tensor
from dlspec.syntax import tree
from dlspec.syntax.source import Span


def dtype_of(name: tree.Name | None) -> str:
    """The element type written; f32 where none is."""
    if name is None:
        return "f32"
    if name.id not in DTYPES:
        guess = closest(name.id, list(DTYPES))
        hint = f"did you mean `{guess}`?" if guess else f"the element types are {', '.join(DTYPES)}"
        raise fail("DLS0218", f"`{name.id}` is no element type", name.span, "unknown element type", hint)
    return name.id


def declared_type(written: tree.TensorType, frame: Frame) -> TensorType:
    """The type of a model's input: names that stand for nothing yet become symbols."""
    dims = []
    for expr in written.dims or []:
        if isinstance(expr, tree.Ellipsis):
            raise fail("DLS0411", "a model's input must state all its sizes", expr.span, "how many axes?",
                       "write a size or a symbol for each axis")  # fmt: skip
        dims.append(_declared_dim(expr, frame))
    return tensor(dtype_of(written.dtype), dims)


def _declared_dim(expr: tree.Expr, frame: Frame) -> Any:
    for name in free_names(expr, frame):
        frame.bind_symbol(name.id, symbol(name.id), name.span)
    return _size(expr, frame)


def _size(expr: tree.Expr, frame: Frame) -> Any:
    from dlspec.elaborate.evaluate import evaluate

    value = evaluate(expr, frame)
    if isinstance(value, Symbolic):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise fail("DLS0219", f"a dimension must be a whole number or a symbol, not {describe(value)}", expr.span,
                   "not a size", "use `//` to divide" if isinstance(value, float) else None)  # fmt: skip
    if value < 0:
        raise fail("DLS0219", f"a dimension cannot be negative, but this is {value}", expr.span, "negative")
    return value


def free_names(expr: tree.Expr, frame: Frame) -> list[tree.Name]:
    """The names in a dimension that stand for nothing yet."""
    match expr:
        case tree.Name():
            try:
                frame.scope.find(expr.id)
            except KeyError:
                return [expr]
        case tree.Binary():
            return free_names(expr.left, frame) + free_names(expr.right, frame)
        case tree.Unary():
            return free_names(expr.operand, frame)
    return []


def bind_type(
    written: tree.TensorType, actual: TensorType, name: str, frame: Frame, use: Span | None
) -> TensorType:
    """The type of a block's input inside the block: checked, and the symbols in its declaration bound."""
    if written.dtype is not None and dtype_of(written.dtype) != actual.dtype:
        message = f"input `{name}` is declared {written.dtype.id}, but is given {actual}"
        raise _unfit("DLS0318", message, f"{actual.dtype}, not {written.dtype.id}", use, written.dtype.span)
    if written.dims is None:
        return unnamed_sizes(actual, name, frame)
    pairs = _align(written, actual)
    if pairs is None:
        message = f"input `{name}` has {_axes(written)}, but is given {actual} with {actual.rank}"
        raise _unfit("DLS0302", message, f"{actual.rank} axes", use, written.span)
    known: dict[int, Any] = {}
    for axis, expr, dim in pairs:
        free = free_names(expr, frame)
        if isinstance(expr, tree.Name) and free:
            known[axis] = dim if frame.outer else frame.size(expr.id, dim)
            frame.bind_symbol(expr.id, known[axis], expr.span)
            continue
        for unknown in free:
            raise fail("DLS0220", f"`{unknown.id}` is not known yet", unknown.span, "unknown symbol",
                       "a symbol must first stand alone as a dimension")  # fmt: skip
        expected = known[axis] = _size(expr, frame)
        if expected != dim:
            wanted = f"{expected}" if expr.span.text == str(expected) else f"`{expr.span.text}` = {expected}"
            message = f"input `{name}` wants {wanted} on axis {axis}, but is given {actual}"
            error = _unfit("DLS0315", message, f"{dim}, not {expected}", use, expr.span)
            place = frame.scope.spans.get(expr.id) if isinstance(expr, tree.Name) else None
            if place is not None:
                what = str(expected) if isinstance(expected, int) else f"the symbol {expected}"
                error.diagnostics[0].notes.append(Note(place, f"`{expr.span.text}` is {what} from here on"))
            raise error
    return unnamed_sizes(actual, name, frame, known)


def unnamed_sizes(
    actual: TensorType, name: str, frame: Frame, known: Mapping[int, Any] | None = None
) -> TensorType:
    """An input's type inside a block: the sizes that its declaration says nothing of are variables, too."""
    if frame.outer is not None:  # a `repeat`'s body, which has the variables of the block around it
        return actual
    known = known or {}
    return actual.with_shape(
        [known[i] if i in known else frame.size(f"{name}_{i}", dim) for i, dim in enumerate(actual.shape)]
    )


def _unfit(code: str, message: str, label: str, use: Span | None, declared: Span) -> SpecError:
    """The error of a tensor that does not fit a block's input: where it is given, and the declaration."""
    notes = [Note(declared, "declared here")] if use is not None else []
    return SpecError([Diagnostic(code, message, use or declared, label, notes)])


def _axes(written: tree.TensorType) -> str:
    dims = written.dims or []
    count = sum(not isinstance(dim, tree.Ellipsis) for dim in dims)
    return f"{'at least ' if count < len(dims) else ''}{count} {'axis' if count == 1 else 'axes'}"


def _align(written: tree.TensorType, actual: TensorType) -> list[tuple[int, tree.Expr, Any]] | None:
    """Axes with their written and actual dimensions; `...` stands for any number. None: another number of axes."""
    dims = written.dims or []
    dots = [i for i, d in enumerate(dims) if isinstance(d, tree.Ellipsis)]
    if len(dots) > 1:
        raise fail("DLS0221", "`...` may stand only once in a type", dims[dots[1]].span, "second one")
    fits = actual.rank >= len(dims) - 1 if dots else actual.rank == len(dims)
    if not fits:
        return None
    at = dots[0] if dots else len(dims)
    tail = len(dims) - at - 1 if dots else 0
    axes = [*range(at), *range(actual.rank - tail, actual.rank)]
    exprs = [dim for dim in dims if not isinstance(dim, tree.Ellipsis)]
    return [(axis, expr, actual.shape[axis]) for axis, expr in zip(axes, exprs, strict=True)]


def check_type(written: tree.TensorType, actual: TensorType, span: Span, frame: Frame) -> None:
    """Check a stated type of an output against the inferred one."""
    problem = None
    pairs: list[tuple[int, tree.Expr, Any]] | None = []
    if written.dtype is not None and dtype_of(written.dtype) != actual.dtype:
        problem = Note(written.dtype.span, f"{written.dtype.id} stated here")
    elif written.dims is not None and (pairs := _align(written, actual)) is None:
        problem = Note(written.span, f"{_axes(written)} stated here, but it has {actual.rank}")
    elif written.dims is not None:
        for _, expr, dim in pairs or []:
            for name in free_names(expr, frame):
                frame.bind_symbol(name.id, dim, name.span)
            stated = _size(expr, frame)
            if stated != dim:
                problem = Note(expr.span, f"{stated} stated here, but it is {dim}")
                break
    if problem is not None:
        raise SpecError(
            [
                Diagnostic(
                    "DLS0316", f"the output is {actual}, not what is stated", span, str(actual), [problem]
                )
            ]
        )
