"""Speed of this machine on a model's configuration: networks, training steps, generation, against its matmul peak."""
