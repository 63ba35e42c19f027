"""One organisation's node of a supply-chain-finance consortium."""
