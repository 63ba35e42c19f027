"""Files that commands write: whole or not at all, and in nobody's place unless that is asked for."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from ledger_node.errors import BadRequest

NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""What file systems without links say, as those of sticks and shares."""


def write_file(path: Path, content: bytes, overwrite: bool | None = None) -> None:
    """Write a file beside its place, then put it there in one step.

    Args:
        overwrite: replace what stands there; None where the command has no such option.

    Raises: BadRequest when something does, and may not be replaced.
    """
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with fresh.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            fresh.replace(path)
        else:
            _put_where_nothing_stands(fresh, path)
    except FileExistsError as error:
        remedy = "Name another file." if overwrite is None else "Name another file, or say --overwrite."
        raise BadRequest(f"{path} exists", remedy) from error
    finally:
        fresh.unlink(missing_ok=True)


def _put_where_nothing_stands(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)  # unlike a rename it fails where something stands
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        path.open("xb").close()  # the place is taken first; a kill right here leaves an empty file
        fresh.replace(path)
