"""The one interface to a ledger, and its two implementations: a Fabric network's, and one that is a file."""
