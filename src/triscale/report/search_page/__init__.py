"""The page of an architecture search: what was found, the front, what each choice is worth, all trials."""
