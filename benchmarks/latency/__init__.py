"""How far the latency predictor is from measured times: `python -m benchmarks.latency`."""
