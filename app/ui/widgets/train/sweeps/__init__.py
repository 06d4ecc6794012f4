"""Sweeps: putting one together, watching it, and what came out beside the paper's figures."""
