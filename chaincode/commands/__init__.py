"""The commands, split by noun: each a short function that reads, lets a rule decide, and writes.

Must never decide anything itself. `chaincode.contract` holds the table of them all.
"""
