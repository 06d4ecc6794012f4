"""Measures the real window with the real engine: how soon it is there, how smooth it stays, how fast it obeys."""
