"""Trains the small feature network behind FD-Small, and tables how its distance answers to damage.

`python -m trainer.features --clothes clothing-train.zip` does both; see `docs/experiments.md`.
"""
