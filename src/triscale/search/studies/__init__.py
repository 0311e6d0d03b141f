"""The study: its question, plan, trainings, records and answer."""
