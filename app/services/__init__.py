"""Processes, files and media: what touches the world outside."""
