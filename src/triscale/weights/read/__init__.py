"""Files of weights: what kind they are, and their tensors, read strictly and without running what is in them."""
