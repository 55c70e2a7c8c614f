"""What a training learns from: a source, its columns, and how they are split, prepared and dealt out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dlspec.ir.dims import Dim, symbol
from dlspec.ir.types import TensorType


class Source(BaseModel):
    """Where examples come from: ``sklearn("digits")`` is kind `sklearn` with one argument."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)


class Vocabulary(BaseModel):
    """The symbols of a text by their numbers: ``characters(104)`` is the kind and how many there are at most.

    Of `characters` and `words`, number 0 stands for whatever is not among the most frequent of the training part. Those
    of `bpe` are the bytes and what a byte-pair encoding merges in the training part; number 0 only fills up.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    size: int

    @property
    def of_tokens(self) -> bool:
        """Whether the symbols are tokens, not characters."""
        return self.kind != "characters"


class Category(BaseModel):
    """A column of names that stand for classes: at most `size` of them, sorted, and numbered from 0.

    unknown
        whether number 0 stands for every name that is not among the most frequent `size` - 1 of the training part;
        without it, such a name is an error.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    size: int
    unknown: bool = False


class Environment(BaseModel):
    """How a world is played in, from which transitions come.

    replay
        how many of the last transitions are kept, to learn from.
    start, every
        after how many steps learning starts, and how many steps come between two updates.
    first, last, steps
        the share of random actions: at first, and at last, after so many steps.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    replay: int = 10_000
    start: int = 1000
    every: int = 1
    first: float = 1.0
    last: float = 0.05
    steps: int = 10_000


class SplitRule(BaseModel):
    """How examples are dealt to the parts, where not at random.

    kind
        `ordered` in the order of the source, `stratified` evenly within each value of `column`, `by` the `values` of
        `column` that belong to a part, `folds`: `folds` equal parts, of which number `fold` is ``val``.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    column: str | None = None
    values: dict[str, list[int | float | str]] | None = None
    folds: int = 0
    fold: int = 0


class Moment(BaseModel):
    """The `kind`, ``mean`` or ``std``, of a column of the training split, over `axes`, which keep size 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    column: str
    kind: str
    axes: tuple[int, ...]
    type: TensorType


class Windows(BaseModel):
    """Pieces of a series: `length` steps in a row, and the `horizon` steps after them as columns ``NAME_next``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    length: int
    horizon: int


class Bucket(BaseModel):
    """An axis whose size differs from batch to batch: the smallest of `sizes` that the longest example fits into.

    axis
        the symbol that stands for it, as the first size of columns.
    by
        the column that says how long each example is; without it, up to its last place that is not 0.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    axis: str
    sizes: tuple[int, ...]
    by: str | None = None


class Augmentation(BaseModel):
    """One random change of columns in training: ``image = random_crop(image, padding = 2)``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    function: str
    columns: tuple[str, ...]
    options: dict[str, Any] = Field(default_factory=dict)


class Stream(BaseModel):
    """Examples that are read batch by batch, in a source that may be larger than memory.

    workers
        how many threads read, or processes where `processes`.
    ahead
        how many batches are being read while one is used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    workers: int = 2
    processes: bool = False
    ahead: int = 4


class DataSet(BaseModel):
    """Columns with their type for one example, the split in fractions, and the preparation.

    categories
        columns that the source has as names, and the models as numbers.
    texts
        columns that the source has as text, and the models as numbers of symbols, filled up with 0.
    bytes
        columns that count the bytes which another one's symbols stand for.
    last_batch
        what an epoch of training does with examples that fill no batch: `keep` a small one, `drop` them, or `fill` it
        up with the first of the epoch.
    shuffle
        whether epochs of training take examples in random orders, rather than in that of the source.
    prepare
        key of a graph from raw columns, and statistics, to prepared columns; with a leading batch axis ``N``.
    statistics
        key of a graph from the raw columns of the training split to what `prepare` takes beside the columns.
    moments
        what these statistics are, by name.
    windows
        into which the prepared series is cut.
    bucket
        the axis along which batches are of different size; columns that have it are stored at its largest.
    augment
        what is done to each example in training, in this order, after the preparation.
    environment
        where it is a world to play in: the columns are those of a transition.
    vocabulary
        of a text, whose columns then hold the numbers of symbols.
    stream
        where it is not read as a whole: how it is read.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    source: Source
    columns: dict[str, TensorType]
    categories: dict[str, Category] = Field(default_factory=dict)
    texts: tuple[str, ...] = ()
    bytes: dict[str, str] = Field(default_factory=dict)
    split: dict[str, float]
    split_rule: SplitRule | None = None
    last_batch: str = "keep"
    shuffle: bool = True
    prepare: str | None = None
    statistics: str | None = None
    moments: dict[str, Moment] = Field(default_factory=dict)
    augment: tuple[Augmentation, ...] = ()
    windows: Windows | None = None
    bucket: Bucket | None = None
    vocabulary: Vocabulary | None = None
    environment: Environment | None = None
    stream: Stream | None = None
    seed: int = 0
    doc: str = ""

    def stored(self) -> dict[str, TensorType]:
        """The types of the columns as they are in memory: an axis that differs between batches is at its largest."""
        if self.bucket is None:
            return self.columns
        sizes: dict[Dim, Dim] = {symbol(self.bucket.axis): self.bucket.sizes[-1]}
        return {
            name: kind.with_shape([sizes.get(dim, dim) for dim in kind.shape])
            for name, kind in self.columns.items()
        }


def validation_split(data: DataSet) -> str:
    """The split that every epoch is judged on: ``val``, or the second one of the data."""
    splits = list(data.split)
    return "val" if "val" in splits else splits[min(1, len(splits) - 1)]
