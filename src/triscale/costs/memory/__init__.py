"""Bytes at the peak: what torch's eager mode allocates for layers, blocks and cells, and for a whole step."""
