"""Commands of this organisation on their way to the ledger: stored, grouped, sent, answered."""
