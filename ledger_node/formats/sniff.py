"""What a file is, by its own first bytes; the type that a sender declares must agree.

Source: RFC 9110 section 8.3 (media types), ISO 32000-1 section 7.5.2 (PDF header), XML 1.0 appendix F, RFC 8259.
"""

from __future__ import annotations

import codecs

from ledger_node.formats.facts import FormatCode, FormatError

PDF, XML, JSON = "application/pdf", "application/xml", "application/json"
MEDIA_TYPES = {
    "application/pdf": PDF,
    "application/xml": XML,
    "text/xml": XML,
    "application/json": JSON,
    "application/ld+json": JSON,
}
HEAD_BYTES = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def sniff(head: bytes) -> str:
    """The media type of a file by its content.

    Args:
        head: its first bytes, at best HEAD_BYTES of them.

    Returns: "application/pdf", "application/xml", "application/json", or "" for anything else.
    """
    if head.startswith(b"%PDF-"):
        return PDF
    text = head.decode("latin-1")
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            text = head[len(mark) :].decode(encoding, "replace")
    text = text.lstrip(" \t\r\n")
    if text.startswith("<"):
        return XML
    return JSON if text.startswith(("{", "[")) else ""


def check_media_type(declared: str, head: bytes) -> str:
    """The media type of a file, when content and declaration agree.

    Args:
        declared: the sender's Content-Type, parameters allowed.
        head: the file's first bytes.

    Returns: one of PDF, XML, JSON.

    Raises: FormatError for a type that is not taken, or a content that is something else.
    """
    expected = MEDIA_TYPES.get(declared.split(";")[0].strip().lower())
    if expected is None:
        raise FormatError(
            FormatCode.MEDIA_TYPE, f"the media type {declared[:80]!r} is not taken", f"send {', '.join(MEDIA_TYPES)}"
        )
    actual = sniff(head)
    if actual != expected:
        raise FormatError(
            FormatCode.MEDIA_TYPE,
            f"declared as {expected}, but the content is {actual or 'something else'}",
            "declare the type that the file has",
        )
    return expected
