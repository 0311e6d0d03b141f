"""How long a step takes: measured, predicted, and kept below a limit."""
