"""Samplers on tables of trained networks: `python -m benchmarks.search`."""
