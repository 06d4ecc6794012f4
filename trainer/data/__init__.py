"""Training data: collections of files, samples made of them, their order, and batches on time."""
