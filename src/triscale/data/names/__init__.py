"""What names mean: of folders, files and splits; which are images, which are litter, and where to look."""
