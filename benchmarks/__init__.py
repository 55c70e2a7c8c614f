"""What is measured: each module is one command (`python -m benchmarks.startup`) and prints one table."""
