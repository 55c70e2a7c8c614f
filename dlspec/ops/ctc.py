"""Sequences that are not aligned with their labels: the CTC loss, and the edit distance."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import NonNegativeInt

from dlspec.ir.op import Op, OpError
from dlspec.ir.types import INTEGERS, TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float
from dlspec.ops.losses import _Loss

LOW = -1e30  # the logarithm of what is impossible, in the decomposition: infinity would give gradients of nan


class CtcLoss(_Loss):
    """-log of the probability of the labels, over all ways to spread them over the steps (Graves et al. 2006).

    `logits` are [N, T, classes], one class of which is the `blank`; `labels` i64[N, S]. Of example n, the first
    `logit_lengths[n]` steps count and the first `label_lengths[n]` labels; what stands behind them is padding of any
    value. "mean" is the mean over examples (PyTorch's own divides by the lengths of the labels first). Labels that do
    not fit into the steps have no finite loss: infinity here and in PyTorch, about 700 in Keras.
    """

    operands: ClassVar = ("logits", "labels", "logit_lengths", "label_lengths")
    examples: ClassVar = [
        ({}, ("f32[2, 15, 4]", "i64[2, 3] < 4", "i64[2] > 5", "i64[2] < 2")),
        ({"reduction": "none", "blank": 2}, ("f32[3, 15, 4]", "i64[3, 2] < 2", "i64[3] > 4", "i64[3] < 3")),
        ({"reduction": "sum"}, ("f32[2, 15, 3]", "i64[2, 2] < 3", "i64[2] > 4", "i64[2] < 3")),
    ]

    blank: NonNegativeInt = 0

    def infer(
        self, logits: TensorType, labels: TensorType, logit_lengths: TensorType, label_lengths: TensorType
    ) -> TensorType:
        require_float(logits, "`ctc_loss`")
        if logits.rank != 3:
            raise OpError(f"`ctc_loss` needs logits [N, T, classes], but got {logits}", operand=0,
                          label="not three axes", code="DLS0302")  # fmt: skip
        N, _, classes = logits.shape
        wanted = ((labels, 2, "[N, S]"), (logit_lengths, 1, "[N]"), (label_lengths, 1, "[N]"))
        for place, (kind, rank, shape) in enumerate(wanted, start=1):
            if kind.dtype not in INTEGERS or kind.rank != rank or kind.shape[0] != N:
                raise OpError(f"`ctc_loss` of {logits} needs {self.operands[place]} of i64{shape}, but got {kind}",
                              operand=place, label=f"not i64{shape}", code="DLS0313")  # fmt: skip
        if isinstance(classes, int) and self.blank >= classes:
            raise OpError(f"`ctc_loss` has no class {self.blank} of {classes} to be the blank", argument="blank",
                          label=f"at most {classes - 1}", code="DLS0321")  # fmt: skip
        return self.reduced(tensor(logits.dtype, (N,)))

    def reference(self, logits: Any, labels: Any, logit_lengths: Any, label_lengths: Any) -> Any:
        shifted = logits - logits.max(axis=2, keepdims=True)
        scores = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
        lengths = zip(scores, labels, logit_lengths, label_lengths, strict=True)
        losses = [-_log_probability(s[:t], known[:n], self.blank) for s, known, t, n in lengths]
        return getattr(np, self.reduction)(losses) if self.reduction != "none" else np.array(losses)

    def decompose(self, b: Any, logits: Any, labels: Any, logit_lengths: Any, label_lengths: Any) -> Any:
        """The losses one by one; these by the forward algorithm, step by step, where the number of steps is known."""
        if self.reduction != "none":
            each = self.model_copy(update={"reduction": "none"})
            return self.reduce(b, b.add(each, [logits, labels, logit_lengths, label_lengths])[0])
        N, T, classes = logits.type.shape
        S = labels.type.shape[1]
        if not isinstance(T, int) or not isinstance(S, int):
            return NotImplemented
        known = b.cast(b.clip(labels, min=0, max=classes - 1), dtype="i64")
        blanks = b.full(shape=(N, S + 1), value=self.blank, dtype="i64")
        between = b.slice(blanks, index=((None, None, None), (None, S, None)))
        path = b.reshape(b.stack([between, known], axis=2), shape=(N, 2 * S))
        path = b.concat([path, b.slice(blanks, index=((None, None, None), (S, None, None)))], axis=1)
        places = b.expand(b.unsqueeze(path, axis=1), shape=(N, T, 2 * S + 1))
        scores = b.gather(b.log_softmax(logits, axis=2), places, axis=2)
        return -self._forward(b, scores, path, logit_lengths, label_lengths)

    def _forward(self, b: Any, scores: Any, path: Any, steps: Any, known: Any) -> Any:
        """log of the probability of the labels, from the score [N, T, places] of each place of `path` at each step."""
        T, paths = scores.type.shape[1:]
        low = b.constant(LOW, like=scores)

        def score(step: int) -> Any:
            return b.slice(scores, index=((None, None, None), step))

        def moved(x: Any, by: int) -> Any:
            return b.pad(
                b.slice(x, index=((None, None, None), (None, paths - by, None))),
                padding=((by, 0),),
                value=LOW,
            )

        place = b.arange(start=paths)
        reached = b.where(b.less(place, 2), score(0), low)
        for step in range(1, T):
            ways = [reached, moved(reached, 1)]
            if paths > 2:
                before = b.pad(
                    b.slice(path, index=((None, None, None), (None, paths - 2, None))),
                    padding=((2, 0),),
                    value=self.blank,
                )
                skips = b.logical_and(b.not_equal(path, before), b.not_equal(path, self.blank))
                ways.append(b.where(skips, moved(reached, 2), low))
            after = b.logsumexp(b.stack(ways, axis=0), axis=0) + score(step)
            reached = b.where(b.unsqueeze(b.greater(steps, step), axis=1), after, reached)
        end = b.unsqueeze(b.cast(known, dtype="i64") * 2, axis=1)
        ends = b.logical_and(b.less_equal(place, end), b.greater_equal(place, end - 1))
        return b.logsumexp(b.where(ends, reached, low), axis=1)


class EditDistance(Op):
    """How many insertions, deletions and substitutions make each row of `guess` that of `truth` (Levenshtein 1966).

    `guess` is i64[N, T] and `truth` i64[N, S]; only what is true in `counts` and `known`, of their shapes, is there.
    Over the number of labels it is the label error rate. It is for metrics: NumPy computes it at the end of an epoch.
    """

    operands: ClassVar = ("guess", "truth", "counts", "known")
    examples: ClassVar = [
        ({}, ("i64[3, 5] < 3", "i64[3, 4] < 3", "bool[3, 5]", "bool[3, 4]")),
        ({}, ("i64[2, 3] < 2", "i64[2, 6] < 2", "bool[2, 3]", "bool[2, 6]")),
    ]

    def infer(
        self, guess: TensorType, truth: TensorType, counts: TensorType, known: TensorType
    ) -> TensorType:
        for place, kind in enumerate((guess, truth)):
            if kind.rank != 2 or kind.dtype not in INTEGERS:
                raise OpError(f"`edit_distance` compares class numbers [N, T], but got {kind}", operand=place,
                              label="not i64[N, T]", code="DLS0302")  # fmt: skip
        for place, (kind, of) in enumerate(((counts, guess), (known, truth)), start=2):
            if kind.dtype != "bool" or kind.shape != of.shape:
                wanted = of.with_dtype("bool")
                message = f"`edit_distance` needs {self.operands[place]} of {wanted}, but got {kind}"
                raise OpError(message, operand=place, label="another type", code="DLS0313")
        return tensor("f32", guess.shape[:1])

    def reference(self, guess: Any, truth: Any, counts: Any, known: Any) -> Any:
        distances = []
        for symbols, labels, is_symbol, is_label in zip(guess, truth, counts, known, strict=True):
            row = np.arange(is_label.sum() + 1)
            steps = np.arange(len(row))
            for symbol in symbols[is_symbol]:
                best = np.minimum(row[1:] + 1, row[:-1] + (labels[is_label] != symbol))
                best = np.concatenate([row[:1] + 1, best])
                row = np.minimum.accumulate(best - steps) + steps  # a label more costs 1
            distances.append(row[-1])
        return np.array(distances, np.float32)

    def decompose(self, b: Any, guess: Any, truth: Any, counts: Any, known: Any) -> Any:
        """Row by row, where the number of symbols and labels is known; rows of what does not count stay as they are."""
        (_, T), (_, S) = guess.type.shape, truth.type.shape
        if not isinstance(T, int) or not isinstance(S, int):
            return NotImplemented
        there = b.cast(known, dtype="f32")
        row = b.pad(b.cumsum(there, axis=1), padding=((1, 0),))
        for step in range(T):
            here = ((None, None, None), (step, step + 1, None))
            differs = b.cast(b.not_equal(truth, b.slice(guess, index=here)), dtype="f32")
            stay = [b.slice(row, index=((None, None, None), (0, 1, None))) + 1.0]
            for place in range(S):
                one, before = (
                    ((None, None, None), (place + 1, place + 2, None)),
                    ((None, None, None), (place, place + 1, None)),
                )
                changed = b.minimum(
                    b.slice(row, index=one) + 1.0, b.slice(row, index=before) + b.slice(differs, index=before)
                )
                best = b.minimum(changed, stay[-1] + 1.0)
                stay.append(b.where(b.slice(known, index=before), best, stay[-1]))
            row = b.where(b.slice(counts, index=here), b.concat(stay, axis=1), row)
        return b.slice(row, index=((None, None, None), S))


def _log_probability(scores: Any, labels: Any, blank: int) -> Any:
    """log of the probability of `labels` [S] under scores [T, classes], by the forward algorithm."""
    if not len(scores):  # no steps spell no labels
        return scores.dtype.type(-np.inf if len(labels) else 0.0)
    path = np.full(2 * len(labels) + 1, blank)
    path[1::2] = labels
    skip = np.zeros(len(path), bool)
    skip[2:] = (path[2:] != blank) & (path[2:] != path[:-2])
    reached = np.full(len(path), -np.inf, scores.dtype)
    reached[:2] = scores[0, path[:2]]
    for score in scores[1:]:
        by_one = np.concatenate([[-np.inf], reached[:-1]])
        by_two = np.where(skip, np.concatenate([[-np.inf, -np.inf], reached])[: len(path)], -np.inf)
        reached = np.logaddexp(np.logaddexp(reached, by_one), by_two) + score[path]
    return np.logaddexp.reduce(reached[-2:])
