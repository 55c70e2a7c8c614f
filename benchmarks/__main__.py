"""Runs every benchmark: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

from benchmarks import printing, scaling, startup, zoo

for benchmark in (startup, scaling, printing, zoo):
    benchmark.main()
