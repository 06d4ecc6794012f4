"""Where training and evaluation pictures come from."""
