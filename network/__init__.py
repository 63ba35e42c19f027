"""The Fabric network: running it, administering it, talking to it. Knows no invoice."""
