"""The processor's engines (native/): many documents in one call, which holds the interpreter only to take and answer."""

from collections.abc import Buffer, Sequence

# Why a document has no digest, where it is not an errno: it changed while it was read; it is no regular file; it is
# left to hashlib, being a stream, a buffer that is not contiguous, or long on a processor without SHA instructions.
CHANGED: int
NOT_REGULAR: int
LEFT: int

def engines() -> list[str]:
    """The engines that this processor has, of `scalar`, `sha-ni` and `avx512`."""

def hash_batch(
    sources: Sequence[object], descriptor: type, engine: str, threads: int, /
) -> tuple[list[tuple[bytes, int, str]], list[tuple[int, int]]]:
    """Hash many documents.

    Args:
        sources: buffers, paths, and instances of `descriptor`, whose attribute `fd` is an open file.
        descriptor: the class of open files.
        engine: one of `engines()`.
        threads: at most so many; small batches take fewer.

    Returns: for each source its 32 bytes, its size and the name of what hashed it; and for each that has none (its row
    means nothing) its index with an errno or one of the constants above.

    Raises: ValueError for an engine that this processor does not have.
    """

def pack_slab(
    sources: Sequence[object], descriptor: type, slab: Buffer, first_block: int, blocks_max: int, threads: int, /
) -> tuple[bytes, bytes, list[int], list[tuple[int, int]]]:
    """Lay documents out as the kernel of native/sha256_lanes.cu reads them, until one does not fit.

    A document has `(size + 8) // 64 + 1` blocks of 64 bytes. A slab takes the same slice of each: those of its blocks
    from `first_block` on, at most `blocks_max`. Of a file that spans slabs, only changes within one slab are noticed.

    Args:
        sources: as in `hash_batch`.
        descriptor: as in `hash_batch`.
        slab: where they go, a writable buffer.
        first_block: counted from 0.
        blocks_max: of each document.
        threads: at most so many.

    Returns: the kernel's `start` and `blocks`, as little-endian numbers of 4 bytes; the sizes in bytes of the documents
    that are in the slab, from the first source on; and those that could not be read, with no blocks, as in `hash_batch`.
    """

def unpack_digests(state: Buffer, count: int, /) -> list[bytes]:
    """Digests of 32 bytes out of the kernel's states: 8 words of 4 bytes a document, word-major.

    Raises: ValueError when the state is not that of `count` documents.
    """
