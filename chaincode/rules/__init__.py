"""The rules: pure functions from records and a command to new records, or a refusal.

Must never read or write the ledger. Where a rule checks several things, it does so in the order in which
`docs/reference/commands.md` lists its refusals.
"""
