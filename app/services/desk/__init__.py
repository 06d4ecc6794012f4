"""Work on models in a process of its own: what needs the network, reads gigabytes, or moves folders."""
