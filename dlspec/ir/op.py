"""What every operator is: typed arguments, operands, a shape rule, weights, cost, meaning.

An operator is a frozen pydantic model whose fields are its arguments. Its class states everything the
rest of dlspec derives: argument checking, shape inference, the summary, the reference and the tests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, model_serializer, model_validator

from dlspec.ir.dims import Dim
from dlspec.ir.traced import remembers, retraced
from dlspec.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from dlspec.ir.builder import Builder

Types = TensorType | None
Inferred = TensorType | tuple[TensorType, ...]


class OpError(Exception):
    """A wrong use of an operator, told in the user's terms; the elaborator adds place and name.

    operand
        the index of the operand that is to blame, where there is one.
    argument
        the field whose value is wrong; ``index[1]`` is the second entry of a list.
    label
        what is written under the place, in a few words.
    """

    def __init__(
        self,
        message: str,
        *,
        operand: int | None = None,
        argument: str = "",
        label: str = "",
        hint: str | None = None,
        code: str = "DLS0301",
    ) -> None:
        super().__init__(message)
        self.message, self.operand, self.hint, self.code = message, operand, hint, code
        self.argument, self.label = argument, label


# What initialisers take, with PyTorch's values for what is left out.
INIT_DEFAULTS: dict[str, tuple[float, ...]] = {
    "zeros": (), "ones": (), "constant": (0.0,), "uniform": (0.0, 1.0), "normal": (1.0, 0.0),
    "truncated_normal": (1.0, 0.0), "xavier_uniform": (1.0,), "xavier_normal": (1.0,),
    "kaiming_uniform": (2**0.5,), "kaiming_normal": (2**0.5,), "lecun_normal": (), "orthogonal": (1.0,),
    "identity": (), "bilinear": (),
}  # fmt: skip


class Init(BaseModel):
    """How a weight is drawn: a distribution and its numbers.

    kinds: zeros, ones, constant(value), uniform(low, high), normal(std, mean = 0),
    truncated_normal(std, mean = 0) cut at 2 std, and those scaled by fan in and fan out:
    xavier_uniform(gain = 1), xavier_normal(gain = 1), kaiming_uniform(gain), kaiming_normal(gain),
    lecun_normal; orthogonal(gain = 1); identity; bilinear: the interpolation of each channel by itself,
    for transposed convolutions that enlarge (Long et al. 2015).
    `zero_row`, if given, is a row that is set to zero after the draw (an embedding's padding).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: Literal[
        "zeros", "ones", "constant", "uniform", "normal", "truncated_normal",
        "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun_normal",
        "orthogonal", "identity", "bilinear",
    ]  # fmt: skip
    args: tuple[float, ...] = ()
    zero_row: int | None = None

    @property
    def numbers(self) -> tuple[float, ...]:
        """All arguments, those that are left out too."""
        return (*self.args, *INIT_DEFAULTS[self.kind][len(self.args) :])

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(f'{a:g}' for a in self.args)})" if self.args else self.kind


class WeightSpec(BaseModel):
    """A weight of an operator: its local name (`kernel` is always `weight`), type and initialiser.

    `fan_in` and `fan_out` are what the scaled initialisers divide by. A weight that is not `trainable`
    is state that training may still move, such as BatchNorm's running mean. A `bare` weight is all there is to
    its instance, so its path is the instance's own: ``position``, not ``position.value``.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    type: TensorType
    init: Init
    trainable: bool = True
    fan_in: int = 1
    fan_out: int = 1
    bare: bool = False

    def check_init(self) -> None:
        """Raise `OpError` for an initialiser that has no meaning for the shape of the weight."""
        rank, kind = self.type.rank, self.init.kind
        misfits = {"identity": rank != 2, "orthogonal": rank < 2, "bilinear": rank < 3}
        if misfits.get(kind, False):
            what = "which has a window" if kind == "bilinear" else "which is a matrix"
            raise OpError(
                f"a weight of type {self.type} cannot begin as `{kind}`, {what}",
                hint="use another initialiser, such as `normal(0.02)`",
                code="DLS0323",
                label=f"begins as `{kind}`",
            )


class Op(BaseModel):
    """Base of all operators. Subclasses declare fields (arguments) and override the methods below.

    operands
        names of the tensor operands in order. ``"mask?"`` is optional, ``"*xs"`` takes any number.
    stateful
        written with a capital letter in a spec: each use has its own weights or randomness.
    extra_field
        the dictionary field that takes keyword arguments which are no fields: ``rearrange(x, "...", h = 8)``.
    examples
        ``(arguments, operand types)`` pairs on which the laws of the test suite run every backend. An
        operand written ``"i64[2, 5] < 7"`` takes integers below 7; ``"f32[3] > 0"`` positive numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, ser_json_inf_nan="strings")

    operands: ClassVar[tuple[str, ...]] = ("x",)
    stateful: ClassVar[bool] = False
    extra_field: ClassVar[str | None] = None
    examples: ClassVar[Sequence[tuple[dict[str, Any], tuple[str, ...]]]] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _remembering(cls, data: Any, handler: Any) -> Any:
        """Arguments keep where they came from (`traced`), which validation alone would forget."""
        made = handler(data)
        if isinstance(data, dict):
            for name, given in data.items():
                if remembers(given) and name in made.__dict__:
                    made.__dict__[name] = retraced(made.__dict__[name], given)
        return made

    @property
    def random(self) -> bool:
        """Whether its result is drawn, and differs from run to run."""
        return False

    @classmethod
    def spec_name(cls) -> str:
        """The name in a spec: the class name, in snake case for pure functions."""
        if cls.stateful:
            return cls.__name__
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()

    def resolve(self, *types: Any) -> Op:
        """This operator with every default that depends on operands made explicit ("same", axis -1)."""
        return self

    def infer(self, *types: Any) -> Inferred:
        """The type of the result (or types of the results); raises `OpError` on unfit operands."""
        raise NotImplementedError(type(self).__name__)

    def weights(self, *types: Any) -> tuple[WeightSpec, ...]:
        """The weights that this operator owns for operands of these types."""
        return ()

    def macs(self, *types: Any) -> Dim:
        """Multiply-accumulates of one application (0 for what is not conv, linear or matmul)."""
        return 0

    def facts(self, *types: Any) -> dict[str, Any]:
        """What a printer may need beyond the fields, such as `in_channels`."""
        return {}

    def reference(self, *arrays: Any, **weights: Any) -> Any:
        """The exact meaning, in NumPy. Weights come by local name. Without it, `decompose` is run."""
        raise NotImplementedError(type(self).__name__)

    def decompose(self, b: Builder, *values: Any, **weights: Any) -> Any:
        """The same in simpler operators, or NotImplemented for a primitive."""
        return NotImplemented

    @model_serializer(mode="wrap")
    def _with_name(self, handler: Any) -> dict[str, Any]:
        return {"op": self.spec_name(), **handler(self)}

    def __str__(self) -> str:
        given = {k: v for k, v in self if v != type(self).model_fields[k].default}
        return f"{self.spec_name()}({', '.join(f'{k}={v}' for k, v in given.items())})"


def broadcast(left: Shape, right: Shape) -> Shape:
    """The shape of two operands broadcast against each other; raises `OpError`."""
    rank = max(len(left), len(right))
    pairs = list(zip(_padded(left, rank), _padded(right, rank), strict=True))
    unlike = [axis for axis, (a, b) in enumerate(pairs) if a != b and 1 not in (a, b)]
    if unlike:
        raise _no_broadcast(left, right, unlike)
    return tuple(b if a == 1 else a for a, b in pairs)


def _padded(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + tuple(shape)


def _no_broadcast(left: Shape, right: Shape, unlike: list[int]) -> OpError:
    """The error of shapes that differ on the axes `unlike`, counted from the front of the longer one."""
    rank = max(len(left), len(right))
    first = (
        unlike[0] if len(left) == len(right) else unlike[0] - rank
    )  # aligned at the end, so counted from there
    against = f"{_padded(left, rank)[unlike[0]]} against {_padded(right, rank)[unlike[0]]} on axis {first}"
    more = (
        "" if len(unlike) == 1 else f", and {len(unlike) - 1} more {'axis' if len(unlike) == 2 else 'axes'}"
    )
    short, long = sorted((left, right), key=len)
    hint = _skip_hint(left, right) or "two sizes fit when they are equal or one of them is 1"
    if len(short) < len(long) and tuple(long[: len(short)]) == tuple(short):
        axes = ", ".join(str(axis) for axis in range(len(short), len(long)))
        axes = axes if len(long) - len(short) == 1 else f"[{axes}]"
        hint = f"shapes are aligned at the last axis; `unsqueeze(..., axis = {axes})` adds what is missing"
    shapes = f"shapes [{_join(left)}] and [{_join(right)}]"
    return OpError(f"{shapes} do not broadcast: {against}{more}", label=against, hint=hint)


def _skip_hint(left: Shape, right: Shape) -> str | None:
    """How a skip around layers that changed a batch of images can be made to fit: by a 1x1 convolution."""
    for before, after in ((left, right), (right, left)):
        pairs = [
            (a, b)
            for a, b in zip(before[2:], after[2:], strict=False)
            if isinstance(a, int) and isinstance(b, int)
        ]
        if len(before) != 4 or len(after) != 4 or len(pairs) != 2 or not isinstance(after[1], int):
            continue
        stride = -(-pairs[0][0] // pairs[0][1])
        if all((size - 1) // stride + 1 == wanted for size, wanted in pairs):
            options = f"{after[1]}, 1, stride = {stride}" if stride > 1 else f"{after[1]}, 1"
            return f"where one is a skip, `-> Conv2d({options})` makes [{_join(before)}] fit"
    return None


def axis_index(axis: int, rank: int, argument: str = "axis") -> int:
    """`axis` counted from the front; raises `OpError` when there is no such axis."""
    if not -rank <= axis < rank:
        raise OpError(
            f"axis {axis} does not exist in a tensor with {rank} {'axis' if rank == 1 else 'axes'}",
            argument=argument,
            label="no such axis",
            hint=f"axes count from 0 to {rank - 1}, or from -1 back to {-rank}" if rank else None,
            code="DLS0303",
        )
    return axis % rank


def _join(shape: Shape) -> str:
    return ", ".join(map(str, shape))
