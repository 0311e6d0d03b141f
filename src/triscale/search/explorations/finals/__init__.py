"""The end of a search: the finalists, measured where latency counts, the best first."""
