"""Observable state of training runs."""
