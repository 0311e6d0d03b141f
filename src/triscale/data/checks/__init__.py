"""What is looked at before images are used: every file, near copies, and the verdict on all of them."""
