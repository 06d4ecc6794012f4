"""Measures of pictures and latents."""
