"""Runs every benchmark: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

from benchmarks import printing, scaling, startup

for benchmark in (startup, scaling, printing):
    benchmark.main()
