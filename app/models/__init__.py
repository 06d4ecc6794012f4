"""Observable state, without widgets."""
