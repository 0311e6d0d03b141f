"""What a study will train, and for how long: pure, from its question and from speeds that are handed in."""
