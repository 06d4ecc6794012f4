"""Networks that turn pictures or clips into features, on which distances between distributions are measured."""
