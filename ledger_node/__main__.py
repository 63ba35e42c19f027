"""`python -m ledger_node` is the command line `ledger-node`."""

from ledger_node.cli import main

main(prog_name="ledger-node")
