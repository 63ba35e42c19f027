"""Messages between banks and their customers: XML to the typed message that its namespace names, or a refusal.

Source: ISO 20022, messages camt.053 and camt.054 (bank to customer), pain.002 and pacs.002 (payment status). The Swiss
banks' own namespaces (SIX, 2009) hold the same elements and are read as the ISO message they are made from.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from lxml import etree
from xsdata.exceptions import ParserError
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.xml import parse_xml

ISO = "urn:iso:std:iso:20022:tech:xsd:"
SIX = "http://www.six-interbank-clearing.com/de/"
BYTES_MAX = 20 << 20
_NAME = re.compile(r"((?:camt|pain|pacs)\.\d{3})\.\d{3}\.\d{2}")
_LACKING = re.compile(r"(\w+)\.__init__\(\) missing \d+ required keyword-only arguments?: (.{1,150})")
_STRICT = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)


def read_message(content: bytes, kinds: tuple[str, ...]) -> tuple[str, Any]:
    """A message as typed data.

    Args:
        content: the whole file.
        kinds: those that are taken, such as "camt.053".

    Returns: its kind, and the content of its root element: an object of pyiso20022 with the message's own short names.

    Raises: FormatError for whatever the content is.
    """
    if len(content) > BYTES_MAX:
        raise FormatError(FormatCode.TOO_LARGE, f"larger than {BYTES_MAX} bytes", "ask the bank for one day at a time")
    root = parse_xml(content)
    namespace = etree.QName(root).namespace or ""
    found = _NAME.search(namespace.removeprefix(ISO).removeprefix(SIX))
    if found is None or found[1] not in kinds:
        name = found[0] if found else etree.QName(root).localname
        raise FormatError(FormatCode.NOT_SUPPORTED, f"{name[:60]} is not read here", f"send one of {', '.join(kinds)}")
    return found[1], _typed(root, namespace, found[0])


def _typed(root: Any, namespace: str, name: str) -> Any:
    try:  # one message's module takes a third of a second
        module = importlib.import_module(f"pyiso20022.{name[:4]}.{name.replace('.', '_')}")
    except ModuleNotFoundError as error:
        raise FormatError(
            FormatCode.NOT_SUPPORTED, f"there is no message {name}", "ask the bank for another"
        ) from error
    content = etree.tostring(root)
    if namespace != ISO + name:
        content = content.replace(namespace.encode(), (ISO + name).encode())
    try:
        document = XmlParser(config=_STRICT).from_bytes(content, module.Document)
    except (ParserError, ValueError, TypeError) as error:  # TypeError where an element lacks one that it must have
        raise FormatError(
            FormatCode.SCHEMA, f"it is not a valid {name}: {_why(error)}", "ask the bank for the file again"
        ) from error
    message = next((value for value in vars(document).values() if value is not None), None)
    if message is None:
        raise FormatError(FormatCode.SCHEMA, f"the {name} is empty", "ask the bank for the file again")
    return message


def _why(error: Exception) -> str:
    """What xsdata says, in words where it is Python's own about a class that lacks an argument."""
    lacking = _LACKING.match(str(error))
    return f"{lacking[1]} lacks {lacking[2]}" if lacking else str(error)[:200]


def at(message: Any, path: str) -> Any:
    """What lies under a path of short names; None where a step is not there or not in this version of the message.

    Args:
        message: any part of a message.
        path: such as "rltd_pties.dbtr_acct.id.iban".
    """
    for name in path.split("."):
        message = getattr(message, name, None)
        if message is None:
            return None
    return message


def text_at(message: Any, *paths: str) -> str:
    """The first text that lies under one of several paths, without space around it; "" where there is none."""
    found = (at(message, path) for path in paths)
    return next((text for value in found if (text := str(getattr(value, "value", value) or "").strip())), "")
