"""This organisation's own documents at rest: the vault, their index, what was found wrong with them, seals."""
