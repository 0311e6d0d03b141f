"""Simulated studies: which rule finds where the next doubling should go."""
