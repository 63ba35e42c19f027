"""Making what others can check without us: evidence bundles, and the trust file that they are checked against.

It gathers and signs; `ledger_node.verify` checks, and shares no code with this room but the form of the two files.
"""
