"""Tests of the surface over the triangle."""
