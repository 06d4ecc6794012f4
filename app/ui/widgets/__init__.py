"""Reusable widgets; they know models by type only."""
