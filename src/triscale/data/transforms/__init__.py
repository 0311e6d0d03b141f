"""From pixels to pixels: cuts, resizing, what training draws, and normalisation."""
