"""What a fit wrote down: from images and limits to a file that keeps them."""
