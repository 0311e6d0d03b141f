"""What runs a network: inference engines, and the graphs that they open."""
