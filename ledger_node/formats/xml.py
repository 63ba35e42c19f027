"""XML from strangers: parsed once, with every door shut, before any other library sees it.

No DOCTYPE, no entities, no network, no processing instructions, no comments (a comment inside a number would cut it
short for one reader and not for another), bounded size. Source: XML 1.0, lxml's parser options.
"""

from __future__ import annotations

from typing import Any, cast

from lxml import etree

from ledger_node.formats.facts import FormatCode, FormatError

Element = etree._Element

# libxml2 makes its table of built-in types with the first schema of a process, without a lock, and lxml reads schemas
# outside of Python's: two invoices that came first and at once were refused as not valid. So the first one is read here.
etree.XMLSchema(etree.XML('<schema xmlns="http://www.w3.org/2001/XMLSchema"/>'))


def parse_xml(content: bytes) -> Element:
    """The root element of an XML document.

    Args:
        content: the whole file.

    Raises: FormatError when it is not well formed, or holds a DOCTYPE.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise FormatError(FormatCode.NOT_WELL_FORMED, f"the XML is broken: {error}", "export the file again") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatError(FormatCode.DOCTYPE, "the XML holds a DOCTYPE", "send it without DOCTYPE and entities")
    return root


def select(root: Element, xpath: str) -> list[Any]:
    """The elements or attribute values that an XPath finds, in the order of the document."""
    return cast(list[Any], root.xpath(xpath))
