"""A document on its way in: a file beside the vault that has no name yet, hashed while it is written.

Where the file system knows nameless files (O_TMPFILE), a kill at any moment leaves nothing. Where it does not, the file
has a name in the same folder, is removed when it is closed, and by the vault some time after a kill. `take_name` gives
it the one name under which the vault moves it into place, so its bytes are written once. Source: open(2), linkat(2).
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
from pathlib import Path

NO_NAMELESS_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})
"""What file systems, and kernels that do not know the flag, say to O_TMPFILE."""


class SpooledDocument(io.BufferedRandom):
    """A file that is written once, from its start to its end, and may then be read.

    Args:
        folder: on the vault's file system.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0
        self._name: Path | None = None
        super().__init__(io.FileIO(self._open(), "r+b"))

    def write(self, content: bytes, /) -> int:  # type: ignore[override]
        """Append. Raises: io.UnsupportedOperation when it is not at the end, where its digest would be another's."""
        if self.tell() != self.size_bytes:
            raise io.UnsupportedOperation("a spooled document is written from its start to its end")
        written = super().write(content)
        self._sha256.update(content)
        self.size_bytes += written
        return written

    @property
    def digest(self) -> bytes:
        """SHA-256 (32 bytes) of what was written."""
        return self._sha256.digest()

    def take_name(self) -> Path:
        """Flush all to the disk and give the file a name, under which it may be moved away; it is removed otherwise."""
        self.flush()
        os.fsync(self.fileno())
        if self._name is None:
            fresh = self._fresh_name()
            # A descriptor of a folder makes os.link use linkat(2), without which it links the link in /proc itself.
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                source = f"/proc/self/fd/{self.fileno()}"
                os.link(source, fresh.name, dst_dir_fd=folder, follow_symlinks=True)
            finally:
                os.close(folder)
            self._name = fresh
        return self._name

    def close(self) -> None:
        """Close it; what has a name and was not moved away is removed."""
        try:
            super().close()
        finally:
            if self._name is not None:
                self._name.unlink(missing_ok=True)

    def _open(self) -> int:
        try:
            return os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)  # O_EXCL would forbid linking
        except OSError as error:
            if error.errno not in NO_NAMELESS_FILES:
                raise
        fresh = self._fresh_name()
        handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._name = fresh
        return handle

    def _fresh_name(self) -> Path:
        return self._folder / secrets.token_hex(16)
