"""Ties models and services together; neither knows the other, and none of this knows a widget."""
