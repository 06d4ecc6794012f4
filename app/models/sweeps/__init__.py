"""Sweeps: the same run over several values of its settings, as observable state."""
