"""What happens on the ledger, told to programs and people outside: webhooks with their events, answers to invoices.

`changes` says what happened, `events` how it is written, `store` what is to be told to whom, `addresses` and `post` how
it gets there, `sender` does it. `responder` answers invoices as their buyer, `responses` keeps what is answered. It
never writes a command and never asks the contract.
"""
