"""Checking an evidence bundle: without a node, a database, a network or settings, and without trust in who made it.

Whom to believe comes from a trust file that was got by another way; nothing in the bundle supplies it. Run as
`python -m ledger_node.verify` or as `ledger-node verify`. The format is described in docs/reference/bundle.md, from
which a second verifier, in JavaScript, was written.
"""
