"""Data sets as tables: from bytes to text, cells, columns and rows, and to the images that they mean."""
