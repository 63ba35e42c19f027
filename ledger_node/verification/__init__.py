"""Documents of others: fetched, hashed, read and attested."""
