"""Tests of `triscale.shipping`: from images and limits to a file that keeps them."""
