"""Drills: faults played on a real network under a stream of trades, and what must be true of the money at the end."""
