"""Lists of digests in the form of `sha256sum`: one line is 64 hex characters, two spaces, a file's name.

A name with a backslash or a line break is written with escapes behind a line that begins with a backslash.
Source: GNU coreutils manual, section "cksum output modes".
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from ledger_node.errors import BadRequest

DIGEST_BYTES = hashlib.sha256().digest_size
MANIFEST_BYTES_MAX = 256 << 20
_LINE = re.compile(rf"(\\?)([0-9a-fA-F]{{{2 * DIGEST_BYTES}}}) [ *](.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}


class Line(NamedTuple):
    """One file and the digest (32 bytes) that is expected of it."""

    digest: bytes
    path: Path


def escaped(name: str, before: str = "") -> str:
    """A line that ends with a file's name, marked when the name had to be written with escapes.

    Args:
        before: what the line begins with, such as the digest and two spaces.
    """
    mark = "\\" if any(character in name for character in _ESCAPES) else ""
    for character, escape in _ESCAPES.items():
        name = name.replace(character, escape)
    return f"{mark}{before}{name}"


def read_manifest(path: Path) -> list[Line]:
    """The lines of a manifest; names are relative to the current folder, as sha256sum takes them.

    Raises: BadRequest naming the line that cannot be read.
    """
    with path.open("rb") as file:  # may be a pipe or a device, which have no size
        written = file.read(MANIFEST_BYTES_MAX + 1)
    if len(written) > MANIFEST_BYTES_MAX:
        raise BadRequest(f"{path} is larger than {MANIFEST_BYTES_MAX} bytes", "Split it.")
    content = written.decode("utf-8", "surrogateescape")
    lines = [_line(path, number, text) for number, text in enumerate(content.split("\n"), 1) if text.strip("\r")]
    if not lines:
        raise BadRequest(f"{path} names no file", "Make a manifest with: ledger-node hash files FILE... > manifest")
    return lines


def read_digest(text: str) -> bytes:
    """A SHA-256 digest from hex.

    Raises: BadRequest.
    """
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * DIGEST_BYTES}}}", text):
        raise BadRequest(f"{text!r} is no SHA-256 digest", f"A digest is {2 * DIGEST_BYTES} hex characters.")
    return bytes.fromhex(text)


def _line(path: Path, number: int, text: str) -> Line:
    match = _LINE.fullmatch(text.removesuffix("\r"))
    if match is None:
        raise BadRequest(
            f"line {number} of {path} is not of the form DIGEST  NAME",
            "Make a manifest with sha256sum, or give the digest of the one file: ledger-node hash verify FILE DIGEST",
        )
    name = match[3]
    if match[1]:
        name = re.sub(r"\\([\\nr])", lambda escape: {"\\": "\\", "n": "\n", "r": "\r"}[escape[1]], name)
    return Line(bytes.fromhex(match[2]), Path(name))
