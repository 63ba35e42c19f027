"""The contract: what parties may do to the shared ledger, and when money moves.

Standard library only, except `shim/` and `main.py`. Nothing in here reads a clock, a file, the environment or
a source of randomness: every peer must compute the same bytes.
"""
