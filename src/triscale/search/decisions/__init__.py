"""What a study decides from its trials: scores, the surface over them, the next round, the choice."""
