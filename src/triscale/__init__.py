"""Fit a ConvNet to a compute budget."""
