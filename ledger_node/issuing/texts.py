"""Texts as people say them, in the form that every register and XML itself take."""

from __future__ import annotations

import re

from ledger_node.formats.facts import FormatError, clean_text

_NO_XML = re.compile("[\ufffe\uffff]")


def cleaned(text: str) -> str:
    """A text without blanks at its ends, and inner white space as one blank; it may be empty.

    Raises: ValueError for characters that XML does not take, or too many.
    """
    try:
        found = clean_text(text, "it")
    except FormatError as error:
        raise ValueError(f"{error.text}; {error.remedy}" if error.remedy else error.text) from error
    if _NO_XML.search(found):
        raise ValueError("holds characters that XML does not take")
    return found
