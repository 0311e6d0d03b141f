"""What inherited weights are worth: `python -m benchmarks.inheritance`."""
