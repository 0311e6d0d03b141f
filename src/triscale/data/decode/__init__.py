"""From the bytes of an image file to RGB pixels, upright and 8 bits deep; rendered ones are kept."""
