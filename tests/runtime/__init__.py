"""Tests of compiled networks."""
