"""Files that commands write: whole or not at all, and in nobody's place unless that is asked for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ledger_node.errors import BadRequest


def write_file(path: Path, content: bytes, overwrite: bool = False) -> None:
    """Write a file beside its place, then put it there in one step.

    Args:
        overwrite: replace what stands there.

    Raises: BadRequest when something does, and may not be replaced.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.chmod(0o644)
        if overwrite:
            fresh.replace(path)
        else:
            os.link(fresh, path)  # unlike a rename it fails where something stands
    except FileExistsError as error:
        raise BadRequest(f"{path} exists", "Name another file, or say --overwrite.") from error
    finally:
        fresh.unlink(missing_ok=True)
