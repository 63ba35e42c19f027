"""What a file is, by its own first bytes; the type that a sender declares must agree, or say nothing.

Source: RFC 9110 section 8.3 (media types), RFC 6839 (+xml, +json), ISO 32000-1 section 7.5.2 and Adobe's PDF Reference
1.7 appendix H note 13 (PDF header), XML 1.0 appendix F, RFC 8259.
"""

from __future__ import annotations

import codecs

from ledger_node.formats.facts import FormatCode, FormatError

PDF, XML, JSON = "application/pdf", "application/xml", "application/json"
MEDIA_TYPES = {
    "application/pdf": PDF,
    "application/x-pdf": PDF,
    "application/xml": XML,
    "text/xml": XML,
    "application/x-xml": XML,
    "application/json": JSON,
    "application/ld+json": JSON,
}
_GENERIC = """
    application/octet-stream binary/octet-stream application/x-octet-stream application/binary application/x-binary
    application/download application/x-download application/force-download application/x-force-download
    application/save application/unknown application/x-unknown unknown/unknown application/* */* text/plain
    application/x-www-form-urlencoded multipart/form-data
"""
GENERIC_TYPES = frozenset(["", *_GENERIC.split()])
"""Declared by programs that do not look: the content says what it is."""
HEAD_BYTES = 4096
PDF_HEADER_BYTES = 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"", "utf-16-le"),
    (b"", "utf-16-be"),
)


def sniff(head: bytes) -> str:
    """The media type of a file by its content.

    Args:
        head: its first bytes, at best HEAD_BYTES of them.

    Returns: "application/pdf", "application/xml", "application/json", or "" for anything else.
    """
    for text in _readings(head):
        if text.startswith("<"):
            return XML
        if text.startswith(("{", "[")):
            return JSON
    # Readers take a header anywhere in the first 1024 bytes, and some producers put a line before it.
    return PDF if b"%PDF-" in head[:PDF_HEADER_BYTES] else ""


def _readings(head: bytes) -> list[str]:
    """The beginning as text: as ASCII, and by the mark of its encoding; UTF-16 XML may come without one."""
    readings = [head.decode("latin-1")]
    for mark, encoding in _BOMS:
        if head.startswith(mark) and (mark or head[:2] in (b"<\0", b"\0<")):
            readings.append(head[len(mark) :].decode(encoding, "replace"))
    return [text.lstrip(" \t\r\n") for text in readings]


def check_media_type(declared: str, head: bytes) -> str:
    """The media type of a file, when content and declaration agree; a generic declaration says nothing.

    Args:
        declared: the sender's Content-Type, parameters allowed.
        head: the file's first bytes.

    Returns: one of PDF, XML, JSON.

    Raises: FormatError for a type that is not taken, or a content that is something else.
    """
    actual = sniff(head)
    named = declared.split(";")[0].strip().lower()
    if named in GENERIC_TYPES and actual:
        return actual
    expected = MEDIA_TYPES.get(named) or _by_suffix(named)
    if not expected:
        raise FormatError(
            FormatCode.MEDIA_TYPE, f"the media type {declared[:80]!r} is not taken", f"send {', '.join(MEDIA_TYPES)}"
        )
    if actual != expected:
        raise FormatError(
            FormatCode.MEDIA_TYPE,
            f"declared as {expected}, but the content is {actual or 'something else'}",
            "declare the type that the file has",
        )
    return expected


def _by_suffix(named: str) -> str:
    """The type under a suffix of RFC 6839, such as application/vnd.factur-x+xml."""
    return {"+xml": XML, "+json": JSON}.get(named[named.rfind("+") :], "") if "+" in named else ""
