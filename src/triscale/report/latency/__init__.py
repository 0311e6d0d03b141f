"""Measured latency as a record and as a picture."""
