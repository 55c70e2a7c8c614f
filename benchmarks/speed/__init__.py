"""How fast printed training is, beside scripts written by hand: `python -m benchmarks.speed`."""
