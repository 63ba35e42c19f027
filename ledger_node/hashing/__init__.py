"""Digests of documents: SHA-256 and nothing else, behind one function for one document or a million.

This room knows no business word and nothing of the node but its errors. Whatever hashes (hashlib, the processor's
lanes, a GPU, or the service that owns them) stands behind `hash_batch` and `verify_batch`: the answers are the same.
Source: FIPS 180-4 (SHA-256), RFC 8785 (canonical JSON), RFC 9162 section 2.1.1 (the leaf form of a commitment).
"""

from ledger_node.hashing.digest import SALT_BYTES, commitment, digest, digest_json
from ledger_node.hashing.hasher import digest_batch
from ledger_node.hashing.sources import DIGEST_BYTES, Descriptor, Hashed, Source, UnreadableError

__all__ = [
    "DIGEST_BYTES",
    "SALT_BYTES",
    "Descriptor",
    "Hashed",
    "Source",
    "UnreadableError",
    "commitment",
    "digest",
    "digest_batch",
    "digest_json",
]
