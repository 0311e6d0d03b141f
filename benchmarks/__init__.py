"""Measurements, each a module that prints what it found and appends its record."""
