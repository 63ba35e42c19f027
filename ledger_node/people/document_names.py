"""The names that a document says: its own number, the order, and the references of the shipments that it speaks of.

Only of a document whose content was hashed and read here, so never what its sender claims beside it; but for the name
of its file, which only its sender can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ledger_node.errors import BadRequest
from ledger_node.formats import CreditNoteFacts, Facts, InvoiceFacts, TransportFacts
from ledger_node.formats.fingerprints import reference
from ledger_node.people.names import Name

REFERENCES_MAX = 50
NUMBER, ORDER, FILE, SHIPMENTS, REFERENCE = "number", "order", "file", "shipments", "reference"
BUYER_REFERENCE, PAYMENT_REFERENCE, AGREEMENT = "buyer_reference", "payment_reference", "agreement"
INSTEAD_OF_IDS = (NUMBER, REFERENCE, BUYER_REFERENCE, PAYMENT_REFERENCE, AGREEMENT)
"""What names a record in a request. A file's name, an order and shipments that a document speaks of are searched only:
their writer may choose them at will, and so take what somebody else's record is called."""

Document = Mapping[str, Any]


def own_names(document_id: str, facts: Facts | None, file_name: str) -> list[Name]:
    """What a document is called.

    Args:
        document_id: its id.
        facts: what it says; None where it cannot be read.
        file_name: as its submitter calls the file; empty where it does not.
    """
    named = {FILE: file_name, SHIPMENTS: ", ".join(_references(facts))}
    if isinstance(facts, InvoiceFacts):
        named |= {NUMBER: facts.invoice_number, ORDER: facts.order_reference}
    if isinstance(facts, CreditNoteFacts):
        named[NUMBER] = facts.number
    return [Name(document_id, field, value) for field, value in named.items() if value]


def shipment_names(key: bytes, parties: Sequence[Document], document: Document, facts: Facts | None) -> Iterator[Name]:
    """The references that a document names, each under the fingerprint that a shipment of it has on the ledger.

    Args:
        key: the consortium's fingerprint key, 32 bytes.
        parties: all parties, as the ledger has them.
        document: who submitted it (`submitter`) and who is `entitled` to it.
        facts: what it says.
    """
    involved = {document["submitter"], *document["entitled"]}
    roles = {party["msp_id"]: party["roles"] for party in parties if party["msp_id"] in involved}
    suppliers = [msp_id for msp_id, own in roles.items() if "supplier" in own]
    if document["submitter"] in suppliers:  # nobody spells the references of another supplier
        suppliers = [document["submitter"]]
    buyers = [msp_id for msp_id, own in roles.items() if "buyer" in own]
    for number, supplier, buyer in product(_references(facts), suppliers, buyers):
        try:
            yield Name(reference(key, supplier, buyer, number), REFERENCE, number)
        except BadRequest:  # without letter and digit: it names no shipment
            continue


def _references(facts: Facts | None) -> list[str]:
    if isinstance(facts, InvoiceFacts):
        found = list(facts.shipment_references)
    elif isinstance(facts, TransportFacts):
        found = sorted({each for event in facts.events for each in event.shipment_references})
    else:
        found = []
    return found[:REFERENCES_MAX]
