"""What names mean: of folders, files and splits; which are pictures, which are litter, and where to look."""
