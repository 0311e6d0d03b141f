"""Faster ways through a network on CPUs, and the measurement that finds which of them win here."""
