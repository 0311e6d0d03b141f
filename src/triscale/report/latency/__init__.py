"""Measured latency as a record and as an image."""
