"""Where a number came from that is none: a failure is repeated, its last two steps operation by operation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.runtime.repeated import again, checkpoints

# Operations whose infinities are meant, such as the -inf of a mask.
FILLING = (
    "fill",
    "full",
    "where",
    "scatter",
    "copy",
    "empty",
    "select",
    "const",
    "arange",
    "maximum",
    "cast",
)

Place = tuple[int, int]


class Found(Exception):
    """Ends the repetition; `cause` says what was found."""

    def __init__(self, cause: dict[str, Any]) -> None:
        self.cause = cause
        super().__init__()


def diagnose(train: Any, arguments: Sequence[str], place: Place, watch: Callable[..., Any]) -> dict[str, Any]:
    """Train again up to `place` (epoch, batch), from the last checkpoint with fine weights, and say what is wrong.

    Returns `what` was not finite, in words, and where known the place (`where`, file:line), its `line`, and what
    that led to (`then`).
    """
    found: dict[str, Any] = {}
    for checkpoint in checkpoints(arguments):
        with again(arguments, checkpoint):
            found = _repeat(train, place, watch)
        if found.get("kind") != "weight":
            break
    return found


def _repeat(train: Any, place: Place, watch: Callable[..., Any]) -> dict[str, Any]:
    """Train up to a place; from the step before it on, every operation is looked at."""
    last: list[bool] = [False]

    def around(step: Callable[[], Any], training: Any, batch: Any, at: Any) -> Any:
        here = (at.epoch, at.batch)
        if not last[0] and here < _before(place, at.batches):
            return step()
        last[0] = True
        return checked(step, training, batch, Path(train.__file__).parent)

    watching = watch(around)
    try:
        train.main()
    except Found as found:
        return found.cause
    except FloatingPointError as error:
        return {"kind": "loss", "what": str(error)}
    finally:
        watching.remove()
    return {"kind": "gone", "what": "it did not happen again: the run is not reproducible"}


def _before(place: Place, batches: int | None) -> Place:
    epoch, batch = place
    return (epoch, batch - 1) if batch > 1 else (epoch - 1, batches or 1)


def checked(step: Callable[[], Any], training: Any, batch: Any, code: Path) -> Any:
    """Do a step; raises `Found` at the first thing in it that is not finite."""
    for name, values in batch.items():
        if not _fine(values):
            raise Found({"kind": "data", "what": f"the column `{name}` of the batch {_describe(values)}"})
    side = _Keras(training, code) if hasattr(training, "steps") else _Torch(training, code)
    if wrong := side.wrong_weights():
        raise Found({"kind": "weight", "what": f"{wrong}, before the step"})
    try:
        with side.operations():
            result = step()
    except FloatingPointError as error:
        raise Found(side.cause or side.infinite or {"kind": "loss", "what": str(error)}) from None
    # Numbers that are none and go nowhere are fine: what a mask leaves out, for example.
    if wrong := side.wrong_weights():
        raise Found({**(side.cause or side.infinite or {"kind": "step", "what": "the step"}), "then": wrong})
    return result


class _Side:
    """What both frameworks share: the first operation whose result is not finite though its operands are."""

    def __init__(self, training: Any, code: Path) -> None:
        self.training, self.code = training, code
        self.cause: dict[str, Any] | None = None
        self.infinite: dict[str, Any] | None = None

    def wrong_weights(self) -> str:
        """The first weight that is not finite, in words."""
        wrong = ((name, values) for name, values in self.weights() if not _fine(values))
        return next((f"the weight `{name}` {_describe(values)}" for name, values in wrong), "")

    def weights(self) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    @contextmanager
    def operations(self) -> Iterator[None]:
        raise NotImplementedError
        yield

    def look(self, name: str, operands: Sequence[Any], results: Sequence[Any], backward: str = "") -> None:
        """Judge one operation: the first NaN that comes from none, and the first infinity."""
        if self.cause is not None or "empty" in name.lower():
            return
        arrays = [_array(x) for x in operands]
        for result in map(_array, results):
            if result is None or np.isfinite(result).all():
                continue
            if np.isnan(result).any() and not any(a is not None and np.isnan(a).any() for a in arrays):
                cause = self._cause(name, arrays, result, backward)
                self.cause = self._with_origin(cause)
                return
            meant = any(word in name.lower() for word in FILLING)
            if self.infinite is None and not meant and all(a is None or _fine(a) for a in arrays):
                self.infinite = self._cause(name, arrays, result, backward)

    def _with_origin(self, cause: dict[str, Any]) -> dict[str, Any]:
        """An infinity that was there before is the first thing that went wrong."""
        if self.infinite is None:
            return cause
        return {**self.infinite, "then": f"{cause['what']}{_at(cause)}"}

    def _cause(self, name: str, operands: Sequence[Any], result: Any, backward: str) -> dict[str, Any]:
        ranges = [f"{a.min():.3g} to {a.max():.3g}" for a in operands if a is not None and a.size]
        within = f", its operands from {', '.join(ranges)}" if ranges else ""
        what = f"the result of `{name}` {_describe(result)}{within}"
        cause = {
            "kind": "operation",
            "what": f"{what}{f', in the gradient of {backward}' if backward else ''}",
        }
        return {**cause, **self._frame()}

    def _frame(self) -> dict[str, Any]:
        """The innermost line of the printed code that is being run."""
        frame = sys._getframe(2)
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            if file.parent == self.code and file.name != "checkpoints.py":
                return _line(file, frame.f_lineno)
            frame = frame.f_back  # type: ignore[assignment]
        return {}


class _Torch(_Side):
    def weights(self) -> Iterator[tuple[str, Any]]:
        yield from self.training.named_parameters()

    @contextmanager
    def operations(self) -> Iterator[None]:
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils._pytree import tree_leaves

        side = self

        class Mode(TorchDispatchMode):  # type: ignore[misc]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                result = func(*args, **(kwargs or {}))
                node = torch._C._current_autograd_node()
                name = str(getattr(func, "overloadpacket", func)).removeprefix("aten.")
                with torch.utils._python_dispatch._disable_current_modes():
                    side.look(
                        name,
                        tree_leaves(args),
                        tree_leaves(result),
                        _forward(node, side.code) if node else "",
                    )
                return result

        with torch.autograd.set_detect_anomaly(True, check_nan=False), Mode():
            yield


def _forward(node: Any, code: Path) -> str:
    """Where the forward operation of a gradient was written."""
    name = str(node.name()).removesuffix("0").removesuffix("Backward")
    traceback = node.metadata.get("traceback_", [])
    lines = [text.strip() for text in traceback if str(code) in text and "train_step" not in text]
    if not lines:
        return f"`{name}`"
    place, _, line = lines[-1].partition("\n")
    number = place.partition(", line ")[2].partition(",")[0]
    file = Path(place.split('"')[1]).name
    return f"`{name}` at {file}:{number} `{line.strip().splitlines()[0] if line.strip() else ''}`"


class _Keras(_Side):
    def weights(self) -> Iterator[tuple[str, Any]]:
        for step in self.training.steps.values():
            for weight in step.trained():
                yield weight.path, weight

    @contextmanager
    def operations(self) -> Iterator[None]:
        import tensorflow as tf
        from tensorflow.python.framework import op_callbacks

        def saw(
            kind: str, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
        ) -> None:
            if graph is None:
                with _not_watched(op_callbacks, saw):
                    self.look(kind.decode() if isinstance(kind, bytes) else kind, inputs, outputs)

        tf.config.run_functions_eagerly(True)
        op_callbacks.add_op_callback(saw)
        try:
            yield
        finally:
            with suppress(ValueError):
                op_callbacks.remove_op_callback(saw)
            tf.config.run_functions_eagerly(False)


@contextmanager
def _not_watched(op_callbacks: Any, saw: Any) -> Iterator[None]:
    op_callbacks.remove_op_callback(saw)
    try:
        yield
    finally:
        op_callbacks.add_op_callback(saw)


def _array(value: Any) -> Any:
    """The values of a tensor of floating-point numbers, None for anything else."""
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "f" else None
    kind = str(getattr(value, "dtype", ""))
    if "float" not in kind:
        return None
    if hasattr(value, "detach"):
        return value.detach().cpu().double().numpy()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value, "float64")


def _fine(values: Any) -> bool:
    array = _array(values)
    return array is None or bool(np.isfinite(array).all())


def _describe(values: Any) -> str:
    """How much of an array is not finite."""
    array = _array(values)
    nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    parts = [f"{count} of {array.size} {name}" for count, name in ((nan, "NaN"), (inf, "infinite")) if count]
    return f"is not finite ({', '.join(parts)}, shape {list(array.shape)})"


def _line(file: Path, number: int) -> dict[str, Any]:
    lines = file.read_text("utf-8").splitlines()
    return {
        "where": f"{file.name}:{number}",
        "line": lines[number - 1].strip() if number <= len(lines) else "",
    }


def _at(cause: dict[str, Any]) -> str:
    return f" at {cause['where']}" if "where" in cause else ""
