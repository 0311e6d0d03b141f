"""Rungs: the best of a search's trials trained longer, and trials that stop early."""
