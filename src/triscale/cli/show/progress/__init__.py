"""The progress of measurements and fits on stderr."""
