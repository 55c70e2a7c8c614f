"""What recurrent layers share: states, directions, layers, and the scan over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import PositiveInt

from dlspec.ir.dims import Dim
from dlspec.ir.op import Inferred, Init, Op, OpError, Types, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float, require_rank

State = tuple[Any, ...]  # h, and for LSTM c
MOST_STEPS = 512  # that a decomposition writes out


class Kit(NamedTuple):
    """The functions in which recurrent layers are written, over arrays or over nodes."""

    transpose: Callable[[Any], Any]
    at: Callable[[Any, int, int], Any]  # the slice of x at a place of an axis
    split: Callable[[Any, int], Any]  # the last axis in equal parts
    concat: Callable[[list[Any]], Any]  # along the last axis
    stack: Callable[[list[Any], int], Any]
    functions: Mapping[str, Callable[[Any], Any]]  # sigmoid, tanh, relu


ARRAYS = Kit(
    transpose=lambda w: w.T,
    at=lambda x, axis, place: x.take(place, axis),
    split=lambda x, parts: np.split(x, parts, axis=-1),
    concat=lambda xs: np.concatenate(xs, axis=-1),
    stack=lambda xs, axis: np.stack(xs, axis),
    functions={
        "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
        "tanh": lambda x: np.tanh(x),
        "relu": lambda x: np.maximum(x, 0),
    },
)


def _nodes(b: Any) -> Kit:
    """The same as nodes that are added to a builder."""
    return Kit(
        transpose=b.transpose,
        at=lambda x, axis, place: b.slice(x, index=(*((None, None, None),) * axis, place)),
        split=lambda x, parts: b.split(x, parts=parts, axis=-1),
        concat=lambda xs: b.concat(*xs, axis=-1),
        stack=lambda xs, axis: b.stack(*xs, axis=axis),
        functions={"sigmoid": b.sigmoid, "tanh": b.tanh, "relu": b.relu},
    )


class Own(NamedTuple):
    """The weights with which one layer and direction makes its steps."""

    recurrent: Any  # W_hh, transposed
    bias: Any  # the bias beside W_hh h, or None
    peephole: Any  # or None


class _Recurrent(Op):
    """What the three layers share: x [N, T, D] is read step by step, and each step updates a state.

    output = "sequence" gives every step's h, [N, T, H * directions]; "last" the final h of the last layer,
    [N, H * directions], where the backward direction's is that after its own last step, at T = 0;
    "all" gives the sequence and the final states of all layers, [layers * directions, N, H] as in PyTorch:
    layer by layer, forward before backward. Initial states, of that shape too, are zero when left out.
    Weights are drawn as PyTorch draws them: all uniform within 1 / sqrt(hidden_size).
    """

    stateful: ClassVar = True
    operands: ClassVar[tuple[str, ...]] = ("x", "h0?")
    gates: ClassVar[int] = 1

    hidden_size: PositiveInt
    layers: PositiveInt = 1
    bidirectional: bool = False
    bias: bool = True
    output: Literal["sequence", "last", "all"] = "sequence"
    weight_init: Init | None = None
    recurrent_init: Init | None = None
    bias_init: Init | None = None

    @property
    def directions(self) -> int:
        """2 when bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def biases(self) -> tuple[str, ...]:
        """The names of the biases: one, or that beside W_ih x and that beside W_hh h."""
        return ("bias",) if self.bias else ()

    @property
    def states(self) -> int:
        """How many tensors a state has."""
        return len(self.operands) - 1

    @property
    def suffixes(self) -> list[str]:
        """The ends of the weights' names, layer by layer: _l0, _l0_reverse, _l1, ..."""
        ways = ("", "_reverse")[: self.directions]
        return [f"_l{layer}{way}" for layer in range(self.layers) for way in ways]

    def infer(self, x: TensorType, *initial: Types) -> Inferred:
        self._check(x, initial)
        batch, steps, _ = x.shape
        width = self.hidden_size * self.directions
        sequence = x.with_shape((batch, steps, width))
        if self.output == "sequence":
            return sequence
        if self.output == "last":
            return x.with_shape((batch, width))
        return (sequence, *(self._state_type(x),) * self.states)

    def _state_type(self, x: TensorType) -> TensorType:
        return x.with_shape((self.layers * self.directions, x.shape[0], self.hidden_size))

    def _check(self, x: TensorType, initial: tuple[Types, ...]) -> None:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        require_rank(x, (3,), name, "[N, T, D]")
        if not isinstance(x.shape[2], int):
            raise OpError(
                f"{name} expects the last dimension to be known, but here it is `{x.shape[2]}`",
                operand=0,
                label="needs a fixed size on axis -1",
                hint=f"give `{x.shape[2]}` a size where the input is declared",
                code="DLS0305",
            )
        wanted = self._state_type(x)
        for i, state in enumerate(initial, start=1):
            if state is not None and state.shape != wanted.shape:
                raise OpError(
                    f"{name} expects an initial state {wanted} ([layers * directions, N, hidden_size]), "
                    f"but got {state}",
                    operand=i,
                    label=f"not {wanted}",
                    code="DLS0302" if state.rank != 3 else "DLS0301",
                )

    def weights(self, x: TensorType, *initial: Types) -> tuple[WeightSpec, ...]:
        bound = self.hidden_size**-0.5
        default = Init(kind="uniform", args=(-bound, bound))
        rows = self.gates * self.hidden_size
        inner = int(x.shape[2])  # type: ignore[arg-type]
        specs = []
        for i, suffix in enumerate(self.suffixes):
            width = inner if i < self.directions else self.hidden_size * self.directions
            shapes = self._shapes(width)
            recurrent = self.recurrent_init or self.weight_init
            inits = {"weight_ih": self.weight_init, "weight_hh": recurrent, "peephole": recurrent}
            for kind, shape in shapes.items():
                init = inits.get(kind, self.bias_init) or default
                specs.append(
                    WeightSpec(
                        name=kind + suffix,
                        type=tensor("f32", shape),
                        init=init,
                        fan_in=shape[-1] if len(shape) == 2 else width,
                        fan_out=rows,
                    )
                )
        return tuple(specs)

    def _shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """The shapes of the weights of one layer and direction that reads `width` numbers a step."""
        rows = self.gates * self.hidden_size
        weights = {"weight_ih": (rows, width), "weight_hh": (rows, self.hidden_size)}
        return {**weights, **dict.fromkeys(self.biases, (rows,))}

    def macs(self, x: TensorType, *initial: Types) -> Dim:
        total: Dim = 0
        for spec in self.weights(x, *initial):
            if spec.type.rank == 2:
                total = total + x.shape[0] * x.shape[1] * spec.type.size
        return total

    def facts(self, x: TensorType, *initial: Types) -> dict[str, Any]:
        return {
            "input_size": x.shape[2],
            "directions": self.directions,
            "steps": x.shape[1],
            "batch": x.shape[0],
            "gates": self.gates,
            "suffixes": tuple(self.suffixes),
            "has_initial_state": any(state is not None for state in initial),
            "whole_state": sum(state is not None for state in initial) in (0, self.states),
        }

    def step(self, k: Kit, projected: Any, state: State, own: Own) -> State:
        """The state after one step, where `projected` is W_ih x and the bias beside it.

        Written once for NumPy arrays and for nodes of a graph: `k` has the functions of either.
        """
        raise NotImplementedError

    def reference(self, x: Any, *initial: Any, **weights: Any) -> Any:
        given = (*initial, *(None,) * (self.states - len(initial)))
        zeros = np.zeros((self.layers * self.directions, x.shape[0], self.hidden_size), dtype=x.dtype)
        starts = [zeros if state is None else state for state in given]
        return self._run(ARRAYS, x, x.shape[1], starts, weights)

    def decompose(self, b: Any, x: Any, *initial: Any, **weights: Any) -> Any:
        """Every step written out, for sequences of known and moderate length."""
        steps = x.type.shape[1]
        if not isinstance(steps, int) or steps * self.layers * self.directions > MOST_STEPS:
            return NotImplemented
        kit = _nodes(b)
        given = (*initial, *(None,) * (self.states - len(initial)))
        starts: list[Any] = []
        for state in given:
            if state is None:
                zero = b.expand(b.constant([[0.0]], like=x), shape=(x.type.shape[0], self.hidden_size))
                starts.append([zero] * (self.layers * self.directions))
            else:
                starts.append(
                    b.unstack(state, axis=0) if self.layers * self.directions > 1 else [kit.at(state, 0, 0)]
                )
        return self._run(kit, x, steps, starts, weights)

    def _run(self, k: Kit, x: Any, steps: int, starts: list[Any], weights: dict[str, Any]) -> Any:
        """All layers and directions; `starts` holds each part of the state, by layer and direction."""
        finals: list[State] = []
        y = x
        for layer in range(self.layers):
            results = []
            for way in range(self.directions):
                index = layer * self.directions + way
                order = range(steps - 1, -1, -1) if way else range(steps)
                state: State = tuple(part[index] for part in starts)
                sequence, state = self._scan(k, y, order, state, self.suffixes[index], weights)
                results.append(sequence)
                finals.append(state)
            y = results[0] if len(results) == 1 else k.concat(results)
        if self.output == "sequence":
            return y
        if self.output == "last":
            last = [state[0] for state in finals[-self.directions :]]
            return last[0] if len(last) == 1 else k.concat(last)
        return (y, *(k.stack(list(parts), 0) for parts in zip(*finals, strict=True)))

    def _scan(
        self, k: Kit, x: Any, order: range, state: State, suffix: str, weights: dict[str, Any]
    ) -> tuple[Any, State]:
        projected = x @ k.transpose(weights["weight_ih" + suffix])
        if self.biases:
            projected = projected + weights[self.biases[0] + suffix]
        own = Own(
            recurrent=k.transpose(weights["weight_hh" + suffix]),
            bias=weights.get(f"bias_hh{suffix}"),
            peephole=weights.get(f"peephole{suffix}"),
        )
        every: dict[int, Any] = {}
        for t in order:
            state = self.step(k, k.at(projected, 1, t), state, own)
            every[t] = state[0]
        return k.stack([every[t] for t in sorted(every)], 1), state
