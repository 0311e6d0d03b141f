"""What a study measures before it plans: seconds of a step, and the steps that its baseline needs."""
