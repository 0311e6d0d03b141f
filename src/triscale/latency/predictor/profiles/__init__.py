"""What each kernel of a network took, by the engine itself."""
