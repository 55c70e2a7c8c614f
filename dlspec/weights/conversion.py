"""Weights of a spec made of a foreign file's tensors: everything is checked first, then read one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.diagnostics.suggest import closest
from dlspec.ir.graph import Program, Weight
from dlspec.ops._numpy import np
from dlspec.weights.draw import draw
from dlspec.weights.layout import LayoutError
from dlspec.weights.mapping import SAME, Mapping
from dlspec.weights.patterns import is_any_of
from dlspec.weights.planning import Plan
from dlspec.weights.recipes import Constant, Recipe
from dlspec.weights.store import SHOWN, listed
from dlspec.weights.tensors import Tensor, Tensors, plain_names

WRAPPERS = ("module.", "_orig_mod.")
"""What PyTorch puts before all names of a model that is wrapped: for data parallelism, compiled."""
COUNTERS = "*num_batches_tracked"
"""PyTorch's BatchNorm counts batches, which nothing is computed from."""


@dataclass
class Conversion:
    """The weights of a model as tensors, each made when it is read.

    ignored
        what of the file is not used, as the mapping says.
    """

    tensors: dict[str, Tensor]
    ignored: list[str] = field(default_factory=list)

    def arrays(self) -> dict[str, Any]:
        """All weights by canonical name, f32 in canonical layout."""
        return {name: tensor.read() for name, tensor in self.tensors.items()}


def convert(
    program: Program, model: str, plan: Plan, mapping: Mapping, given: Tensors, file: str, seed: int = 0
) -> Conversion:
    """The model's weights, made of the tensors of a file as planned.

    Raises `SpecError` that lists all that is missing, left over (DLS0733), or of another shape (DLS0734).
    """
    names = plain_names(given, (*_wrappers(given), *mapping.prefixes), mapping.endings)
    found = {name: given[key] for name, key in names.items()}
    for name, other in mapping.tied.items():
        if other not in found and name in found:
            found[other] = found.pop(name)
    used = {key for recipe in plan.recipes.values() for key in recipe.sources()}
    left = [name for name in found if name not in used and name not in mapping.tied]
    ignore = (COUNTERS, *mapping.ignore)
    ignored = [name for name in left if name in plan.spare or is_any_of(ignore, name)]
    checks = _Checks(program, model, plan, mapping, found, file)
    checks.names(used, [name for name in left if name not in set(ignored)])
    checks.shapes()
    checks.tied()
    tensors = {
        weight.name: Tensor(
            _shape(weight), "f32", partial(_make, weight, plan.recipes[weight.name], found, seed)
        )
        for weight in checks.weights
    }
    return Conversion(tensors, sorted({*ignored, *(n for n in mapping.tied if n in found)}))


def _wrappers(names: Tensors) -> Iterator[str]:
    """The prefix of a wrapper, where all names have it."""
    for wrapper in WRAPPERS:
        if names and all(name.startswith(wrapper) for name in names):
            yield wrapper


def _shape(weight: Weight) -> tuple[int, ...]:
    return tuple(int(dim) for dim in weight.type.shape)  # type: ignore[arg-type]


def _make(weight: Weight, recipe: Recipe | Constant, tensors: Tensors, seed: int) -> Any:
    if isinstance(recipe, Constant):
        value = recipe.value
        return draw(weight, seed) if value is None else np.full(_shape(weight), value, np.float32)
    return np.asarray(recipe.read(tensors), dtype=np.float32, order="C")


class _Checks:
    """All that can be wrong between a plan and a file."""

    def __init__(
        self, program: Program, model: str, plan: Plan, mapping: Mapping, tensors: Tensors, file: str
    ) -> None:
        self.model, self.plan, self.mapping, self.tensors, self.file = model, plan, mapping, tensors, file
        self.weights = list(program.all_weights(program.models[model]))

    def names(self, used: set[str], left: list[str]) -> None:
        missing = [(key, name) for name, recipe in self.plan.recipes.items() for key in recipe.sources()
                   if key not in self.tensors]  # fmt: skip
        problems = []
        if missing:
            told = [self._missing(key, name, left) for key, name in missing[:SHOWN]]
            told += [""] * (len(missing) - SHOWN)
            message = f"`{self.file}` lacks tensors that `{self.model}` needs: {listed(told)}"
            problems.append(Diagnostic("DLS0733", message))
        if left:
            message = f"`{self.file}` has tensors that nothing in `{self.model}` is made of: "
            problems.append(Diagnostic("DLS0733", message + listed([f"`{name}`" for name in left])))
        if problems:
            problems[-1].hint = self._hint(bool(missing))
            raise SpecError(problems)

    def _missing(self, key: str, name: str, left: list[str]) -> str:
        guess = closest(key, left)
        purpose = f" for `{name}`" if name != key else ""
        return f"`{key}`{purpose}" + (f" (is it `{guess}`?)" if guess else "")

    def _hint(self, missing: bool) -> str:
        if self.mapping is SAME:
            return "its names are not the spec's: say whose they are with `--mapping`"
        if missing:
            return "is it the same model, of the same size? `--set` gives the spec other numbers"
        return "where they are no weights, list them in the mapping's `ignore`"

    def shapes(self) -> None:
        """Every weight gets a tensor of its own shape, of floating point."""
        problems: list[str] = []
        for weight in self.weights:
            recipe = self.plan.recipes[weight.name]
            if isinstance(recipe, Constant):
                continue
            wanted = _shape(weight)
            sources = ", ".join(f"`{k}` {list(self.tensors[k].shape)}" for k in list(recipe.sources())[:3])
            if odd := [k for k in recipe.sources() if not self.tensors[k].is_float]:
                problems.append(f"`{odd[0]}` holds {self.tensors[odd[0]].dtype}, no floating-point numbers")
                continue
            try:
                shape = recipe.shape(self.tensors)
            except LayoutError as error:
                problems.append(f"`{weight.name}` cannot be made of {sources}: {error}")
                continue
            if shape != wanted:
                problems.append(f"`{weight.name}` is {list(wanted)}, not {list(shape)} as made of {sources}")
        if problems:
            message = f"tensors of `{self.file}` do not fit `{self.model}`: {listed(problems, '; ')}"
            hint = "is it the same model, of the same size? `--set` gives the spec other numbers"
            raise SpecError([Diagnostic("DLS0734", message, hint=hint)])

    def tied(self) -> None:
        """What the spec has once is the same in the file."""
        for name, other in self.mapping.tied.items():
            if name not in self.tensors or other not in self.tensors:
                continue
            one, two = self.tensors[name], self.tensors[other]
            if one.shape != two.shape or not np.array_equal(one.read(), two.read()):
                message = (
                    f"`{name}` and `{other}` of `{self.file}` differ, but `{self.model}` has them as one"
                )
                raise SpecError(
                    [Diagnostic("DLS0734", message, self.mapping.place(name), "tied by the mapping")]
                )
