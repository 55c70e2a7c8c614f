"""Sums of products over named axes (Einstein's convention)."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import Dim, product
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops._patterns import malformed, parse_side
from dlspec.ops.dtypes import promote

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Einsum(Op):
    """The products of all operands, summed over the axes that the right side leaves out.

    Names are written apart, ``"n t d, d k -> n t k"``, or as single letters together, ``"ntd,dk->ntk"``.
    ``...`` stands for any leading axes, which must be the same in all operands that have them.
    """

    operands: ClassVar = ("*xs",)
    examples: ClassVar = [
        ({"pattern": "n t d, d k -> n t k"}, ("f32[2, 3, 4]", "f32[4, 5]")),
        ({"pattern": "bhid,bhjd->bhij"}, ("f32[2, 2, 3, 4]", "f32[2, 2, 5, 4]")),
        ({"pattern": "... i, ... i -> ..."}, ("f32[2, 3, 4]", "f32[2, 3, 4]")),
        ({"pattern": "i j -> j i"}, ("f32[2, 3]",)),
        ({"pattern": "i, j -> i j"}, ("f32[2]", "f32[3]")),
        ({"pattern": "n i, i j k, n k -> n j"}, ("f32[2, 3]", "f32[3, 4, 5]", "f32[2, 5]")),
        ({"pattern": "i i2 -> "}, ("f32[2, 3]",)),
    ]

    pattern: str

    def infer(self, *xs: TensorType) -> TensorType:
        terms, result = self._names(xs)
        sizes = self._sizes(xs, terms)
        dtype = promote(*xs)
        if dtype == "bool":
            raise OpError("`einsum` needs numbers, but got truth values", operand=0, code="DLS0304")
        return tensor(dtype, [sizes[name] for name in result])

    def macs(self, *xs: TensorType) -> Dim:
        terms, _ = self._names(xs)
        return product(self._sizes(xs, terms).values()) if len(xs) > 1 else 0

    def facts(self, *xs: TensorType) -> dict[str, Any]:
        """`equation`: the pattern in single letters, without `...`, as every backend takes it."""
        return {"equation": self._equation(xs), "count": len(xs)}

    def reference(self, *xs: Any) -> Any:
        return np.einsum(self._equation(tuple(tensor("f32", x.shape) for x in xs)), *xs)

    def _equation(self, xs: tuple[TensorType, ...]) -> str:
        terms, result = self._names(xs)
        names = list(dict.fromkeys(name for term in terms for name in term))
        if len(names) > len(LETTERS):
            raise malformed(self.pattern, f"more than {len(LETTERS)} axes")
        letter = dict(zip(names, LETTERS, strict=False))
        left = ",".join("".join(letter[name] for name in term) for term in terms)
        return f"{left}->{''.join(letter[name] for name in result)}"

    def _names(self, xs: tuple[TensorType, ...]) -> tuple[list[list[str]], list[str]]:
        """The names of each operand's axes, and of the result's."""
        left, arrow, right = self.pattern.partition("->")
        if not arrow or "->" in right:
            raise malformed(self.pattern, "it needs one `->` between the operands and the result")
        texts = [text.strip() for text in left.split(",")]
        if len(texts) != len(xs):
            raise OpError(
                f'pattern "{self.pattern}" is for {len(texts)} tensors, but got {len(xs)}',
                argument="pattern",
                label=f"for {len(texts)} tensors",
                code="DLS0311",
            )
        right = right.strip()
        if all(_is_compact(text, x.rank) for text, x in zip(texts, xs, strict=True)) and " " not in right:
            texts, right = [" ".join(text) for text in texts], " ".join(right)
        terms = [self._term(text, x, i) for i, (text, x) in enumerate(zip(texts, xs, strict=True))]
        rest = max((term for term in terms if "...0" in term), key=len, default=[])
        result: list[str] = []
        for name in self._flat(right):
            result.extend([n for n in rest if n.startswith("...")] if name == "..." else [name])
        for name in result:
            if not any(name in term for term in terms):
                raise malformed(self.pattern, f"`{name}` stands on the right only")
        return terms, result

    def _term(self, text: str, x: TensorType, operand: int) -> list[str]:
        names = self._flat(text)
        missing = x.rank - len(names) + 1 if "..." in names else 0
        if missing < 0 or ("..." not in names and len(names) != x.rank):
            raise OpError(
                f'pattern "{self.pattern}": `{text}` has {len(names) - ("..." in names)} axes, '
                f"but operand {operand} is {x}",
                operand=operand,
                argument="pattern",
                label=f"`{text}` is not for {x.rank} axes",
                code="DLS0311",
            )
        return [
            n for name in names for n in ([f"...{i}" for i in range(missing)] if name == "..." else [name])
        ]

    def _flat(self, text: str) -> list[str]:
        groups = parse_side(text, self.pattern)
        if any(len(group) != 1 for group in groups) or "(" in text:
            raise malformed(
                self.pattern, "`einsum` takes neither parentheses nor `1`", "use `rearrange` first"
            )
        return [group[0] for group in groups]

    def _sizes(self, xs: tuple[TensorType, ...], terms: list[list[str]]) -> dict[str, Dim]:
        sizes: dict[str, Dim] = {}
        for operand, (x, term) in enumerate(zip(xs, terms, strict=True)):
            for name, dim in zip(term, x.shape, strict=True):
                if sizes.setdefault(name, dim) != dim:
                    shown = "..." if name.startswith("...") else name
                    raise OpError(
                        f'pattern "{self.pattern}": axis `{shown}` is {sizes[name]} before, but {dim} in {x}',
                        operand=operand,
                        argument="pattern",
                        label=f"`{shown}` is {sizes[name]} and {dim}",
                        code="DLS0311",
                    )
        return sizes


def _is_compact(text: str, rank: int) -> bool:
    return text.isalpha() and len(text) == rank
