"""Looks through training data before a run: what is there, what is wrong with it, what to do, what a model sees."""
