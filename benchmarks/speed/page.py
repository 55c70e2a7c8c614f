"""What was measured is kept in `docs/speed.json`, and `docs/speed.md` is written from that alone."""

from __future__ import annotations

from typing import Any

from benchmarks.recorded import DOCS, markdown, update

ABOUT = """# Speed

How fast printed training is beside scripts written by hand, as `make speed` last recorded it: examples a second of an
epoch, the best of {rounds} in turns in one process; with one thread in CPU time, with two on the clock. The idiomatic
script is `DataLoader` and Adam, or plain `fit`; the best by hand takes batches by permutation, has the fused Adam, and
channels-last, pooling before relu and one product for queries, keys and values where that is quicker, and the row's
setting, too. Behind a ratio stands its limit. Absolute figures are of one shared machine: look at the ratios. One row
again: `python -m benchmarks.speed cnn --backend keras`.

What dlspec chooses by itself is said in a comment of the printed code, and [a setting](language.md#training) of that
name overrules it: `channels_last`, `pool_first`, `fused`, `steps_per_execution`. It leaves `compile` and `precision` to
the spec. Compiling needs a C++ compiler and ten seconds at first, and does not pay here: attention is one fused call
already, and the compiled transformer, printed or by hand, is slower than the eager one. bf16 computes other numbers.
"""
HEAD = ("network", "framework", "setting", "threads", "idiomatic", "best by hand", "printed", "x idiomatic",
        "x best", "peak MB: idiomatic, best, printed")  # fmt: skip
BATCHES = """
## Batches

Examples of 784 features a second, 64 at a time in random order, in CPU time of one thread.

"""


def keep(new: dict[str, Any]) -> None:
    """Keep rows, or the figures of the iterators, and write the page anew."""
    update(DOCS / "speed.json", new, page)


def page(kept: dict[str, Any]) -> str:
    """The text of the page."""
    rows = [row for key, row in kept.items() if key != "batches"]
    about = ABOUT.format(rounds=rows[0]["rounds"] if rows else "several")
    text = about + "\n" + markdown(HEAD, map(cells, rows))
    if batches := kept.get("batches"):
        figures = [(name, f"{rate:,}") for name, rate in batches.items()]
        text += BATCHES + markdown(("iterator", "examples/s"), figures)
    return text


def cells(row: dict[str, Any]) -> list[str]:
    """A row as text."""
    rates = [
        f"{row['rates'][who]:,}" if who in row["rates"] else "-" for who in ("idiomatic", "best", "printed")
    ]
    memory = [str(row["memory"][who]) for who in ("idiomatic", "best", "printed") if who in row["memory"]]
    ratios = [_ratio(row, "idiomatic"), _ratio(row, "best")]
    head = [row["network"], row["backend"], row["setting"] or "-", str(row["threads"])]
    return [*head, *rates, *ratios, ", ".join(memory) + _higher(row) if memory else "-"]


def _ratio(row: dict[str, Any], peer: str) -> str:
    value, limit = row["ratios"].get(peer), row["limits"].get(peer)
    if value is None:
        return "-"
    text = f"{value:.2f}"
    if limit is None:
        return text
    return f"{text} (>= {limit})" if value >= limit else f"**{text}** (>= {limit}, missed)"


def _higher(row: dict[str, Any]) -> str:
    return " **(higher)**" if "memory" in row["missed"] else ""
