"""What is looked at before pictures are used: every file, near copies, and the verdict on all of them."""
