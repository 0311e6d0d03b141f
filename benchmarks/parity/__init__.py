"""The parity ledger: every registered network beside the same network of other libraries, with the same weights.

Run `python -m benchmarks.parity` from the root of the repository (`make parity`, and `make parity-keras` for Keras).
"""
