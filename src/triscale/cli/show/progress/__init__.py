"""How far work is, while it runs: bars and lines of the terminal."""
