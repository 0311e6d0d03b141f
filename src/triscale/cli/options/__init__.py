"""Options that several commands share, each read and checked in one place."""
