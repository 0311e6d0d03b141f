"""Who watches a search: where it stands, now and later, for a terminal, a document or a mirror."""
