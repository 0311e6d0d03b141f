"""The surface over the scaling triangle: what trainings say of every split of a doubling, and what to train next."""
