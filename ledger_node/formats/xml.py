"""XML from strangers: parsed once, with every door shut, before any other library sees it.

No DOCTYPE, no entities, no network, no processing instructions, no comments (a comment inside a number would cut it
short for one reader and not for another), bounded size. Source: XML 1.0, lxml's parser options.
"""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

from ledger_node.formats.facts import FormatCode, FormatError

Element = etree._Element
_COUNT = etree.XPath("count(//*)")

TEXT_BYTES_MAX = 10_000_000
"""What libxml2 takes as the text of one element."""
ELEMENTS_MAX = 700_000
"""More than 20 000 lines have; checking more against a schema would hold its reader for many seconds."""
# A run of base64 between two tags, far longer than any text that is a fact: an attachment. It holds no "<", so taking
# it out changes nothing but the text of one element; in UTF-16 none is found, and the text's own limit speaks.
_ATTACHMENT = re.compile(rb">[A-Za-z0-9+/=\s]{1048576,}</")

# libxml2 makes its table of built-in types with the first schema of a process, without a lock, and lxml reads schemas
# outside of Python's: two invoices that came first and at once were refused as not valid. So the first is read here.
etree.XMLSchema(etree.XML('<schema xmlns="http://www.w3.org/2001/XMLSchema"/>'))


def parse_xml(content: bytes) -> Element:
    """The root element of an XML document, without the attachments inside it.

    Args:
        content: the whole file.

    Raises: FormatError when it is not well formed, holds a DOCTYPE, one text over TEXT_BYTES_MAX or more than
        ELEMENTS_MAX elements.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_ATTACHMENT.sub(b"></", content), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        if _is_too_big(str(error)):
            raise FormatError(
                FormatCode.TOO_LARGE,
                f"one element's text is over {TEXT_BYTES_MAX} bytes",
                "send the XML without its attachments, or in UTF-8",
            ) from error
        raise FormatError(
            FormatCode.NOT_WELL_FORMED, f"the XML is broken: {str(error)[:200]}", "export the file again"
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatError(FormatCode.DOCTYPE, "the XML holds a DOCTYPE", "send it without DOCTYPE and entities")
    if cast(float, _COUNT(root)) > ELEMENTS_MAX:
        raise FormatError(FormatCode.TOO_LARGE, f"more than {ELEMENTS_MAX} elements", "split the document")
    return root


def _is_too_big(message: str) -> bool:
    """Whether that is what libxml2 says of a text that is over its limit, plain or as CDATA."""
    return "CData section too big" in message or ("XML_PARSE_HUGE" in message and "Excessive depth" not in message)


class Paths:
    """XPath expressions by name, compiled once; each gives what it finds in the order of the document.

    Args:
        namespaces: by prefix.
        expressions: by name.
    """

    def __init__(self, namespaces: dict[str, str], expressions: dict[str, str]) -> None:
        self._compiled = {name: etree.XPath(text, namespaces=namespaces) for name, text in expressions.items()}

    def elements(self, name: str, node: Element) -> list[Element]:
        """The elements under a node that the expression of that name finds; none when there is no such expression."""
        compiled = self._compiled.get(name)
        return cast(list[Element], compiled(node)) if compiled else []
