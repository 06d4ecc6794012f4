"""The way to a new training run as observable state: data, model, settings, what it costs, what stands in the way."""
