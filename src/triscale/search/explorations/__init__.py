"""Architecture searches: a sampler proposes networks, trainings say what they are worth, the best are compared."""
