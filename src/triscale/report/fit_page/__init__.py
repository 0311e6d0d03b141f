"""The page of a fit, and the README beside its file, from the records alone."""
