"""Sweeps: the same training over several values of its settings, measured alike, with one table and one chart."""
