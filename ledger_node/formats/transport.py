"""Whatever is sent as transport events, recognised by its content and read by its standard into one model of events.

EPCIS 2.0 in JSON or XML, DCSA Track & Trace 2.2 and 3.0, a DCSA electronic bill of lading, a UBL despatch advice: each
says which goods were where and when, and who says so. Source: see each standard's file.
"""

from __future__ import annotations

from typing import Any

from ledger_node.formats import dcsa, ebl
from ledger_node.formats.despatch import DESPATCH_ADVICE, read_despatch
from ledger_node.formats.epcis import transport_of
from ledger_node.formats.epcis_xml import as_json, is_epcis_xml, prefixes
from ledger_node.formats.facts import FormatCode, FormatError, TransportFacts
from ledger_node.formats.recognised import what_xml_is
from ledger_node.formats.strict_json import load_json
from ledger_node.formats.xml import parse_xml

READ = "EPCIS 2.0 in JSON or XML, DCSA Track & Trace 2.2 or 3.0, a DCSA eBL envelope, or a UBL DespatchAdvice"


def read_events(content: bytes) -> TransportFacts:
    """What a JSON file of transport events says.

    Args:
        content: the whole file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    document: Any = load_json(content)
    if dcsa.is_track_and_trace(document):
        return dcsa.transport_of(document)
    if ebl.is_envelope(document):
        return ebl.transport_of(document)
    return transport_of(document)


def read_events_xml(content: bytes) -> TransportFacts:
    """What an XML file of transport events says.

    Args:
        content: the whole file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    root = parse_xml(content)
    if is_epcis_xml(root):
        return transport_of(as_json(root), prefixes(root))
    if root.tag == DESPATCH_ADVICE:
        return read_despatch(root)
    raise FormatError(FormatCode.NOT_EVENTS, f"{what_xml_is(root)}, which tells of no transport", f"send {READ}")
