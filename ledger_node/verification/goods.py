"""Goods billed against goods told of: what this node attests of an invoice, from documents that it has read itself.

The documents are proofs that lie here since they were verified, or own ones; nothing is fetched here, so nobody's slow
node holds up a verdict. What is said for the ledger names lines and proofs, and no item and no quantity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from chaincode.records import keys
from ledger_node.errors import NodeError
from ledger_node.formats import FormatError, InvoiceFacts, TransportFacts, read_facts
from ledger_node.formats.accounts import Told
from ledger_node.formats.match import UNCLEAR, Match, counts_goods, match_goods
from ledger_node.readmodel import ReadModel, Record

COUNTS = "counts"
LINES_MAX, PROOFS_MAX, DAYS_MAX = 20, 50, 100_000
"""As much as the ledger takes."""
OPEN = ("registered", "approved")
_LINE = re.compile(r"[A-Za-z0-9._-]{1,20}")
UNNAMED = "unnamed"
log = structlog.get_logger(__name__)

Kept = Callable[[Record], BinaryIO | None]


class GoodsMatcher:
    """Matches the invoices of one node.

    Args:
        msp_id: who attests.
        readmodel: which proofs an invoice has, and what was attested of them.
        kept: the content of a document that lies here and is what the ledger commits to; None when it does not.
    """

    def __init__(self, msp_id: str, readmodel: ReadModel, kept: Kept) -> None:
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._kept = kept

    def attested(self, document: Record, said: InvoiceFacts | TransportFacts) -> dict[str, Any] | None:
        """What is to be attested of the goods that a document tells of, in the ledger's form.

        Args:
            document: the ledger's record of it.
            said: what it says.

        Returns: None for what counts no goods, and for an invoice none of whose proofs does.
        """
        if isinstance(said, TransportFacts):
            return _plain(COUNTS) if counts_goods(said) else None
        proofs = {
            proof["document_id"]: proof
            for invoice in self._invoices(document)
            for proof in self.proofs(invoice)
            if self._is_read(proof)
        }
        told = [each for proof in proofs.values() if (each := self._told(proof)) is not None]
        found = match_goods(said, told)
        if found is None and not any(self._is_counted(proof_id) for proof_id in proofs):
            return None
        return _plain(found.verdict if found else UNCLEAR, found, sorted(proofs)[:PROOFS_MAX])

    def proofs(self, invoice: Record) -> list[Record]:
        """The proofs of an invoice that tell of transports and that this organisation may read."""
        found = (self._readmodel.document(proof_id) for proof_id in invoice["proof_ids"])
        return [
            proof
            for proof in found
            if proof is not None
            and proof["kind"] == "transport_events"
            and proof["status"] == "current"
            and self._msp_id in (proof["submitter"], *proof["entitled"])
        ]

    def unread(self, invoice: Record) -> list[Record]:
        """The proofs of an invoice that tell of transports and whose content does not lie here."""
        return [proof for proof in self.proofs(invoice) if not self._is_read(proof)]

    def lacking(self, invoice: Record) -> list[Record]:
        """What is to be read, again, so that goods that are counted are matched: proofs first, then the invoice itself.

        Args:
            invoice: the ledger's record of it.
        """
        if invoice["status"] not in OPEN:
            return []
        counted = {each["document_id"]: each for each in self.proofs(invoice) if self._is_counted(each["document_id"])}
        documents = []
        for document_id in invoice["document_ids"]:
            own = self._readmodel.record(keys.attestation(document_id, self._msp_id))
            if own is not None and own["verdict"] == "verified":
                matched = own["match"]["proof_ids"] if own.get("match") else []
                if set(counted) - set(matched):
                    documents.append(document_id)
        if not documents:
            return []
        unread = [proof for proof in counted.values() if not self._is_read(proof)]
        return unread or [record for each in documents if (record := self._readmodel.document(each)) is not None]

    def _invoices(self, document: Record) -> list[Record]:
        found = (self._readmodel.invoice(invoice_id) for invoice_id in document.get("invoice_ids") or ())
        return [invoice for invoice in found if invoice is not None]

    def _is_counted(self, document_id: str) -> bool:
        """Whether anybody has found goods counted in a document."""
        matches = (each.get("match") for each in self._readmodel.attestations(document_id))
        return any(match is not None and match["verdict"] == COUNTS for match in matches)

    def _is_read(self, proof: Record) -> bool:
        stream = self._kept(proof)
        if stream is None:
            return False
        stream.close()
        return True

    def _told(self, proof: Record) -> Told | None:
        """What a proof tells; None where it has gone meanwhile, or tells nothing that can be read."""
        stream = self._kept(proof)
        if stream is None:
            return None
        with stream:
            return told_by(proof, stream)


@dataclass(frozen=True, slots=True)
class Shown:
    """A match, None where nothing counts goods or the invoice could not be read; and what could not be had."""

    match: Match | None
    notes: tuple[str, ...]


def shown(documents: Iterable[Record], opened: Callable[[Record], BinaryIO]) -> Shown:
    """The match of an invoice for people, from documents that are had now.

    Args:
        documents: the records of its documents and of its proofs that tell of transports.
        opened: the content of a document, fetched where it must be; it raises NodeError for what cannot be had.
    """
    told, said, notes = [], None, []
    for document in documents:
        try:
            with opened(document) as stream:
                if document["kind"] == "transport_events":
                    told += [each] if (each := told_by(document, stream)) else []
                elif said is None:
                    facts = read_facts("invoice", document["media_type"], _path(stream))
                    said = facts if isinstance(facts, InvoiceFacts) else None
        except NodeError as error:
            notes.append(f"{document['kind']} {document['document_id']}: {error.text}")
    return Shown(match_goods(said, told) if said is not None else None, tuple(notes))


def _path(stream: BinaryIO) -> Path:
    return Path(f"/proc/self/fd/{stream.fileno()}")


def told_by(proof: Record, stream: BinaryIO) -> Told | None:
    """What a document of transport events tells; None where it cannot be read.

    Args:
        proof: the ledger's record of it.
        stream: its content, an open file.
    """
    try:
        facts = read_facts("transport_events", proof["media_type"], _path(stream))
    except FormatError as error:
        log.warning("a proof tells nothing that counts", document_id=proof["document_id"], reason=error.text)
        return None
    assert isinstance(facts, TransportFacts)
    return Told(proof["submitter"], facts)


def _plain(verdict: str, found: Match | None = None, proof_ids: list[str] | None = None) -> dict[str, Any]:
    lines = {line if _LINE.fullmatch(line) else UNNAMED for line in found.lines} if found else set()
    return {
        "verdict": verdict,
        "short_bps": found.short_bps if found else 0,
        "off_days": min(found.off_days, DAYS_MAX) if found else 0,
        "lines": sorted(lines)[:LINES_MAX],
        "proof_ids": proof_ids or [],
        "unclear": verdict == UNCLEAR or (found is not None and found.unclear),
    }
