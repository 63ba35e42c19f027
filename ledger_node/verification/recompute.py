"""What a fetched document says, in the ledger's words: facts and keyed fingerprints, recomputed from the file alone.

Whoever wrote the file may be an enemy, so a document that cannot be read says nothing and is no failure. The buyer is
the party whose identity the invoice names, never the one its submitter claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from chaincode.errors import RecordError
from chaincode.records import Facts, from_body
from ledger_node.errors import BadRequest
from ledger_node.formats import InvoiceFacts, read_facts
from ledger_node.formats.fingerprints import fingerprints
from ledger_node.formats.ledger_facts import ledger_facts
from ledger_node.formats.naming import named_among
from ledger_node.rules import MODEL, Checked, Checker

PACKS_MAX, BROKEN_MAX = 10, 20
"""As many as the ledger takes."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Facts for the ledger (None for anything but a readable invoice), keyed fingerprints by kind, findings by rules.

    `rules` is None where nothing is checked by the public rules.
    """

    facts: dict[str, Any] | None
    fingerprints: dict[str, str]
    rules: dict[str, Any] | None = None


NOTHING_READ = Recomputed(None, {})


def recompute(
    key: bytes, parties: Sequence[dict[str, Any]], document: dict[str, Any], path: Path, checker: Checker | None = None
) -> Recomputed:
    """Read a document of another organisation.

    Args:
        key: the consortium's fingerprint key, 32 bytes.
        parties: all parties, as the ledger has them.
        document: the ledger's record of the document.
        path: its whole file, whose commitment was found to be right.
        checker: checks it by the public rules; None for a node that does not.

    Returns: what it says; nothing for other documents than invoices, and for what cannot be read.
    """
    if document["kind"] != "invoice":
        return NOTHING_READ
    supplier = next(party for party in parties if party["msp_id"] == document["submitter"])
    try:
        facts = read_facts(document["kind"], document["media_type"], path)
        assert isinstance(facts, InvoiceFacts)
        buyer = named_among(key, facts.buyer, parties)
        stated = ledger_facts(key, facts, supplier, buyer, parties)
        by_kind = fingerprints(key, facts, supplier["msp_id"], buyer["msp_id"]) if buyer else {}
        from_body(Facts, dict(stated))
    except (BadRequest, RecordError) as error:
        log.warning("a document says nothing that counts", document_id=document["document_id"], reason=error.text)
        return NOTHING_READ
    return Recomputed(stated, by_kind, attested(checker.check(path.read_bytes())) if checker else None)


def attested(checked: Checked) -> dict[str, Any]:
    """What was found by the public rules, in the ledger's form: no word of the document is in it."""
    return {
        "verdict": checked.verdict.value,
        "model": checked.model or MODEL,
        "packs": list(checked.packs[:PACKS_MAX]),
        "broken": list(checked.broken[:BROKEN_MAX]),
    }
