"""Batches in their order: from memory or from files, read ahead, shared between processes."""
