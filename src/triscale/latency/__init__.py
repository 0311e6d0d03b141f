"""Latency: how long a step takes, measured side by side, and predicted after a calibration."""
