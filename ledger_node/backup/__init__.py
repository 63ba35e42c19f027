"""Backups: what of a node and of a network nobody else could give back, in one encrypted file, and back again."""
