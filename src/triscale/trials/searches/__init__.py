"""What an architecture search tried and learned, beside the lines of its beginning, its proposals and its end."""
