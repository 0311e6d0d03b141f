"""The search for alpha, beta and gamma: candidates, ranking, choice, and the family that follows."""
