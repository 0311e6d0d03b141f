"""One training in several processes: what they say to each other, and a network cut among them."""
