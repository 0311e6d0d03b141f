"""Latency: how long a step takes, measured side by side, predicted after a calibration, and kept below a limit."""
