"""The documentation site: pages of the repository and pages made from the code, built to be opened from disk."""
