"""What commands print: text, tables, progress, and the one JSON document."""
