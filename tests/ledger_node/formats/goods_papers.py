"""Papers of goods for tests: EPCIS from JSON into XML by a writer of its own, despatch advices, DCSA events, eBLs."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Json = dict[str, Any]
_LISTS = {
    "epcList": "epc",
    "inputEPCList": "epc",
    "outputEPCList": "epc",
    "childEPCs": "epc",
    "correctiveEventIDs": "correctiveEventID",
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "sensorElementList": "sensorElement",
}
_TYPED = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
_STANDARD = {
    "gs1": "https://gs1.org/voc/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}


def namespaces(document: Json) -> dict[str, str]:
    """The prefixes that a document and its events declare."""
    found = dict(_STANDARD)
    events = document.get("epcisBody", {}).get("eventList", [])
    for holder in (document, *events):
        stated = holder.get("@context", [])
        for each in stated if isinstance(stated, list) else [stated]:
            if isinstance(each, dict):
                found.update({prefix: uri for prefix, uri in each.items() if isinstance(uri, str)})
    return found


def epcis_xml(document: Json, events: Iterable[Json]) -> bytes:
    """EPCIS 2.0 in XML that says what those events of a document in JSON say."""
    declared = "".join(f" xmlns:{name}={quoteattr(uri)}" for name, uri in namespaces(document).items())
    body = "".join(_event(each) for each in events)
    return (
        f'<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2"{declared} schemaVersion="2.0" '
        f'creationDate="2026-10-30T14:00:00Z"><EPCISBody><EventList>{body}</EventList></EPCISBody>'
        "</epcis:EPCISDocument>"
    ).encode()


def _event(event: Json) -> str:
    inside = "".join(_element(name, value) for name, value in event.items() if name not in ("type", "@context"))
    return f"<{event['type']}>{inside}</{event['type']}>"


def _element(name: str, value: Any) -> str:
    if name in _TYPED:
        return f"<{name}>{''.join(_typed(_TYPED[name], each) for each in value)}</{name}>"
    if name in _LISTS:
        return f"<{name}>{''.join(_element(_LISTS[name], each) for each in value)}</{name}>"
    if name in ("sensorMetadata", "sensorReport"):
        return "".join(_attributed(name, each) for each in (value if isinstance(value, list) else [value]))
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(*each) for each in value.items())}</{name}>"
    return f"<{name}>{escape(_text(value))}</{name}>"


def _typed(name: str, entry: Json) -> str:
    kind = f" type={quoteattr(entry['type'])}" if "type" in entry else ""
    return f"<{name}{kind}>{escape(entry[name])}</{name}>"


def _attributed(name: str, entry: Json) -> str:
    attributes = "".join(f" {each}={quoteattr(_text(value))}" for each, value in entry.items())
    return f"<{name}{attributes}/>"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def despatch_advice(
    number: str = "DES-1", lines: Iterable[tuple[str, str, str, str]] = (("1", "07611104117056", "10", "EA"),)
) -> bytes:
    """A despatch advice with lines of (id, GTIN, quantity, unit)."""
    found = "".join(
        f"<cac:DespatchLine><cbc:ID>{line}</cbc:ID><cbc:DeliveredQuantity unitCode={quoteattr(unit)}>{quantity}"
        "</cbc:DeliveredQuantity><cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference><cac:Item>"
        "<cbc:Name>Thing</cbc:Name><cac:SellersItemIdentification><cbc:ID>S-1</cbc:ID></cac:SellersItemIdentification>"
        f'<cac:StandardItemIdentification><cbc:ID schemeID="0160">{gtin}</cbc:ID></cac:StandardItemIdentification>'
        "</cac:Item></cac:DespatchLine>"
        for line, gtin, quantity, unit in lines
    )
    ubl = "urn:oasis:names:specification:ubl:schema:xsd"
    return (
        f'<DespatchAdvice xmlns="{ubl}:DespatchAdvice-2" xmlns:cac="{ubl}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{ubl}:CommonBasicComponents-2"><cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-10-28</cbc:IssueDate>'
        "<cac:OrderReference><cbc:ID>PO-1</cbc:ID></cac:OrderReference><cac:DespatchSupplierParty><cac:Party>"
        '<cac:PartyIdentification><cbc:ID schemeID="0088">4260000000011</cbc:ID></cac:PartyIdentification>'
        "</cac:Party></cac:DespatchSupplierParty><cac:DeliveryCustomerParty><cac:Party><cac:PartyIdentification>"
        '<cbc:ID schemeID="0088">8710000000017</cbc:ID></cac:PartyIdentification></cac:Party>'
        "</cac:DeliveryCustomerParty><cac:Shipment><cbc:ID>1</cbc:ID><cac:Delivery><cac:Despatch>"
        "<cbc:ActualDespatchDate>2026-10-29</cbc:ActualDespatchDate></cac:Despatch></cac:Delivery></cac:Shipment>"
        f"{found}</DespatchAdvice>"
    ).encode()


def transport_document() -> Json:
    """A shipped bill of lading, as far as it is read."""
    return {
        "transportDocumentReference": "HHL71800000",
        "transportDocumentStatus": "ISSUED",
        "isShippedOnBoardType": True,
        "shippedOnBoardDate": "2026-10-20",
        "issueDate": "2026-10-21",
        "carrierCode": "MAEU",
        "transports": {"portOfLoading": {"UNLocationCode": "NLRTM"}, "portOfDischarge": {"UNLocationCode": "SGSIN"}},
        "documentParties": {"shipper": {"partyName": "Supplier"}, "consignee": {"partyName": "Buyer"}},
        "consignmentItems": [{"references": [{"type": "PO", "values": ["PO-1"]}], "cargoItems": [{"weight": 12.5}]}],
        "utilizedTransportEquipments": [{"equipment": {"equipmentReference": "APZU4812090"}}],
    }


def jws(payload: Json) -> str:
    """Signed content by the look of it: nobody here knows the keys of platforms."""
    header, body = ({"alg": "PS256", "kid": "x"}, payload)
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def sha256(text: str) -> str:
    """The checksum of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def envelope(document: Json, entries: int = 2) -> Json:
    """An envelope whose checksums hold; the canonical form written by another than the one under test."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    chain: list[str] = []
    for _ in range(entries):
        entry = {"eblPlatform": "BOLE", "transportDocumentChecksum": sha256(canonical), "transactions": []}
        if chain:
            entry["previousEnvelopeTransferChainEntrySignedContentChecksum"] = sha256(chain[-1])
        chain.append(jws(entry))
    manifest = {
        "transportDocumentChecksum": sha256(canonical),
        "lastEnvelopeTransferChainEntrySignedContentChecksum": sha256(chain[-1]),
    }
    return {
        "transportDocument": document,
        "envelopeManifestSignedContent": jws(manifest),
        "envelopeTransferChain": chain,
    }
