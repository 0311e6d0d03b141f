"""The trainings of any search: from what it asks for to trials in its store, whatever happens to the workers."""
