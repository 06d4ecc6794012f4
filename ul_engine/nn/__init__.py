"""Building blocks of the networks; they know shapes and channels, nothing of diffusion."""
