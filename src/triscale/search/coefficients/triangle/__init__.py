"""The surface over the scaling triangle: what trainings say about every split of a doubling, and what to train next."""
