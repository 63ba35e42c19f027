"""What a fetched document says, in the ledger's words: facts and keyed fingerprints, recomputed from the file alone.

Whoever wrote the file may be an enemy, so a document that cannot be read says nothing and is no failure. The buyer is
the party whose identity the invoice names, never the one its submitter claims. Its names stay on this node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from chaincode.errors import RecordError
from chaincode.records import Facts, from_body
from ledger_node.errors import BadRequest
from ledger_node.formats import Facts as Said
from ledger_node.formats import FormatCode, FormatError, InvoiceFacts, TransportFacts, read_facts
from ledger_node.formats.fingerprints import fingerprints
from ledger_node.formats.ledger_facts import ledger_facts
from ledger_node.formats.naming import named_among
from ledger_node.people.document_names import own_names, shipment_names
from ledger_node.people.names import Name
from ledger_node.rules import MODEL, Checked, Checker

PACKS_MAX, BROKEN_MAX = 10, 20
"""As many as the ledger takes."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Facts for the ledger (None for anything but a readable invoice), keyed fingerprints by kind, findings by rules.

    `rules` is None where nothing is checked by the public rules, `match` where no goods are counted. `names` are what
    the document is called, `shipment_names` the references that it names; neither leaves this node.
    """

    facts: dict[str, Any] | None
    fingerprints: dict[str, str]
    names: tuple[Name, ...] = ()
    shipment_names: tuple[Name, ...] = ()
    rules: dict[str, Any] | None = None
    match: dict[str, Any] | None = None


Matched = Callable[[dict[str, Any], InvoiceFacts | TransportFacts], dict[str, Any] | None]
AmountKey = Callable[[dict[str, Any], dict[str, Any], str], bytes | None]
NOTHING_READ = Recomputed(None, {})


def recompute(
    key: bytes,
    parties: Sequence[dict[str, Any]],
    document: dict[str, Any],
    path: Path,
    amount_key: AmountKey,
    file_name: str = "",
    checker: Checker | None = None,
    matched: Matched | None = None,
    patient: bool = True,
) -> Recomputed:
    """Read a document of another organisation.

    Args:
        key: the consortium's fingerprint key, 32 bytes.
        parties: all parties, as the ledger has them.
        document: the ledger's record of the document.
        path: its whole file, whose commitment was found to be right.
        amount_key: gives, of the supplier, the buyer and the date of issue, the key of an amount's fingerprint; None
            where this node has none.
        file_name: what its submitter calls the file.
        checker: checks it by the public rules; None for a node that does not.
        matched: what is to be attested of the goods that it tells of; None for a node that matches none.
        patient: whether a check that is slow is waited for.

    Returns: what it says; no facts of other documents than invoices, and nothing of what cannot be read.

    Raises: Slow, of rules, to who is not patient.
    """
    said = _read(document, path)
    facts, by_kind = _facts(key, parties, document, said, amount_key) if isinstance(said, InvoiceFacts) else (None, {})
    names = tuple(own_names(document["document_id"], said, file_name))
    of_shipments = tuple(shipment_names(key, parties, document, said))
    checked = checker.check(path.read_bytes(), patient=patient) if checker and facts is not None else None
    readable = isinstance(said, TransportFacts) or (isinstance(said, InvoiceFacts) and facts is not None)
    found = None if checked is None else attested(checked)
    goods = matched(document, said) if matched and readable else None  # type: ignore[arg-type]
    return Recomputed(facts, by_kind, names, of_shipments, found, goods)


def _read(document: dict[str, Any], path: Path) -> Said | None:
    """What the file says; None where it cannot be read, or is no words. Credit notes are invoices to the ledger."""
    if document["kind"] == "proof_of_delivery":
        return None
    try:
        return read_facts(document["kind"], document["media_type"], path)
    except FormatError as error:
        if error.code is FormatCode.CREDIT_NOTE:
            return _read(document | {"kind": "credit_note"}, path)
        log.warning("a document says nothing that counts", document_id=document["document_id"], reason=error.text)
        return None


def _facts(
    key: bytes,
    parties: Sequence[dict[str, Any]],
    document: dict[str, Any],
    said: InvoiceFacts,
    amount_key: AmountKey,
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    supplier = next(party for party in parties if party["msp_id"] == document["submitter"])
    try:
        buyer = named_among(key, said.buyer, parties)
        stated = ledger_facts(key, said, supplier, buyer, parties)
        by_kind = _fingerprints(key, said, supplier, dict(buyer), amount_key) if buyer else {}
        from_body(Facts, dict(stated))
    except (BadRequest, RecordError) as error:
        log.warning("a document says nothing that counts", document_id=document["document_id"], reason=error.text)
        return None, {}
    return stated, by_kind


def _fingerprints(
    key: bytes, said: InvoiceFacts, supplier: dict[str, Any], buyer: dict[str, Any], amount_key: AmountKey
) -> dict[str, str]:
    of_amount = amount_key(supplier, buyer, said.issue_date.isoformat())
    return fingerprints(key, said, supplier["msp_id"], buyer["msp_id"], of_amount)


def attested(checked: Checked) -> dict[str, Any]:
    """What was found by the public rules, in the ledger's form: no word of the document is in it."""
    return {
        "verdict": checked.verdict.value,
        "model": checked.model or MODEL,
        "packs": list(checked.packs[:PACKS_MAX]),
        "broken": list(checked.broken[:BROKEN_MAX]),
    }
