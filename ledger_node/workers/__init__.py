"""What runs in a node's worker process: running it, signs of life, counts, opening days."""
