"""Whose weights a file holds, and which of its tensors is which of ours."""
