"""What happens on the ledger, told to programs and people outside: webhooks, and the events that they carry.

`changes` says what happened, `events` how it is written, `store` what is to be told to whom, `addresses` and `post` how
it gets there, `sender` does it. It never writes a command and never asks the contract.
"""
