"""The processor's engines (native/): many documents in one call, with the interpreter released while it works."""

from collections.abc import Sequence

from ledger_node.hashing.sources import Hashed, Source

Buffer = bytes | bytearray | memoryview

# Why a document has no digest, where it is not an errno: it changed while it was read; it is no regular file; it is
# left to hashlib, being a stream, a buffer that is not contiguous, or long on a processor without SHA instructions.
CHANGED: int
NOT_REGULAR: int
LEFT: int

def engines() -> list[str]:
    """The engines that this processor has, of `scalar`, `sha-ni` and `avx512`."""

def hash_batch(sources: Sequence[Source], engine: str, threads: int, /) -> tuple[list[Hashed], list[tuple[int, int]]]:
    """Hash many documents.

    Args:
        sources: documents.
        engine: one of `engines()`.
        threads: at most so many; small batches take fewer.

    Returns: for each source what was hashed; and for each that was not (its place then means nothing) its index with an
    errno or one of the constants above.

    Raises: ValueError for an engine that this processor does not have.
    """

def pack_slab(
    sources: Sequence[Source], slab: bytearray | memoryview, first_block: int, blocks_max: int, threads: int, /
) -> tuple[bytes, bytes, list[int], list[tuple[int, int]]]:
    """Lay documents out as the kernel of native/sha256_lanes.cu reads them, until one does not fit.

    A document has `(size + 8) // 64 + 1` blocks of 64 bytes. A slab takes the same slice of each: those of its blocks
    from `first_block` on, at most `blocks_max`. Of a file that spans slabs, only changes within one slab are noticed.

    Args:
        sources: as in `hash_batch`.
        slab: where they go, a writable buffer.
        first_block: counted from 0.
        blocks_max: of each document.
        threads: at most so many.

    Returns: the kernel's `start` and `blocks`, as little-endian numbers of 4 bytes; the sizes in bytes of the documents
    in the slab, from the first source on; and those that could not be read, which have no blocks, as in `hash_batch`.
    """

def unpack_digests(state: Buffer, count: int, /) -> list[bytes]:
    """Digests of 32 bytes out of the kernel's states: 8 words of 4 bytes a document, word-major.

    Raises: ValueError when the state is not that of `count` documents.
    """
