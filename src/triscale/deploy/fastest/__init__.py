"""`triscale export --engine auto`: every engine and precision of this machine is measured, and the fastest is taken."""
