"""Which documents are to be read once more, though they are attested: what was said of them is not all that can be.

Goods that are counted in a proof have to be matched with the invoice that rests on it, whichever of the two came first;
and an invoice that could not be checked by rules is checked again when the node starts with rules that are there. One
whose amount its buyer could not tell by its fingerprint, for want of a key, is read until it can. So is
a proof that was attested and is not kept here, as by a release that counted nothing.
All of it follows from the ledger's records, so nothing is written here; what could not be done is tried again later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from chaincode.records import keys
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.goods import OPEN, GoodsMatcher

BLOCKS_A_LOOK = 200
INVOICES_A_LOOK = 100
"""So that a node that starts with many open invoices looks through them while it verifies, not before."""
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 2.0, 600.0


@dataclass(slots=True)
class _Watched:
    """An invoice that may lack something: when it is looked at next, the pause after that, whether for rules."""

    not_before: float = 0.0  # monotonic
    pause: float = PAUSE_SECONDS
    for_rules: bool = False


class Revisits:
    """The documents that one node is to read again.

    Args:
        msp_id: who attests.
        readmodel: what was attested.
        matcher: knows which goods are not matched.
        has_rules: whether this node can check by rules; asked only where something was not checked.
    """

    def __init__(self, msp_id: str, readmodel: ReadModel, matcher: GoodsMatcher, has_rules: Callable[[], bool]) -> None:
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._matcher = matcher
        self._has_rules = has_rules
        self._looked_to = -1
        self._watched: dict[str, _Watched] = {}
        self._queued: dict[str, Record] = {}

    def begin_anew(self) -> None:
        """Look at all invoices that may still be paid."""
        self._looked_to = self._readmodel.block_number()
        self._watched = {invoice_id: _Watched(for_rules=True) for invoice_id in self._readmodel.invoice_ids(OPEN)}
        self._queued = {}

    def due_at(self) -> float:
        """When an invoice is to be looked at, in seconds since 1970; infinite when none is."""
        soonest = min((watched.not_before for watched in self._watched.values()), default=math.inf)
        return soonest - time.monotonic() + time.time()

    def now(self, submitter: str, without: set[str]) -> Iterator[Record]:
        """Documents of a submitter to be read again now.

        Args:
            without: ids of documents that are in hand.
        """
        self._follow()
        self._look()
        for document_id, document in list(self._queued.items()):
            if document["submitter"] == submitter and document_id not in without:
                del self._queued[document_id]
                yield document

    def _look(self) -> None:
        """Queue what some invoices lack; each is watched, at longer and longer intervals, until it lacks nothing."""
        now = time.monotonic()  # a wall clock that is put back must not make anything wait
        due = (each for each, watched in self._watched.items() if watched.not_before <= now)
        for invoice_id in list(islice(due, INVOICES_A_LOOK)):
            watched, invoice = self._watched[invoice_id], self._readmodel.invoice(invoice_id)
            lacking = [] if invoice is None else [*self._matcher.lacking(invoice), *self._without_amount(invoice)]
            if watched.for_rules and invoice is not None:
                self._queued |= self._not_checked(invoice) | self._not_kept(invoice)
            if not lacking:
                del self._watched[invoice_id]
                continue
            self._queued |= {document["document_id"]: document for document in lacking}
            pause = watched.pause
            self._watched[invoice_id] = _Watched(now + pause, min(2 * pause, PAUSE_SECONDS_MAX))

    def _follow(self) -> None:
        """Take in the invoices that something was written of since the last look."""
        newest = self._readmodel.block_number()
        while self._looked_to < newest:
            to = min(self._looked_to + BLOCKS_A_LOOK, newest)
            for key in self._readmodel.written(self._looked_to + 1, to, ("invoice", "attestation")):
                for invoice_id in self._named_by(key):
                    self._watched[invoice_id] = _Watched()
            self._looked_to = to

    def _named_by(self, key: str) -> list[str]:
        """The invoices that a key of the ledger is about."""
        kind, record_id, *_ = key.split("/")
        if kind == "invoice":
            return [record_id]
        document = self._readmodel.document(record_id)
        return list((document or {}).get("invoice_ids") or ())

    def _without_amount(self, invoice: Record) -> Iterator[Record]:
        """The documents of an invoice, as its buyer, whose amount has no fingerprint in the own word.

        One that names another buyer never has one: reading it again and again, for as long as it is open, changes that
        for nobody but its supplier, whose files would be fetched for nothing.
        """
        own_party = self._readmodel.party(self._msp_id)
        if invoice["buyer"] != self._msp_id or invoice["status"] not in OPEN or own_party is None:
            return
        for document_id in invoice["document_ids"]:
            own = self._readmodel.record(keys.attestation(document_id, self._msp_id))
            document = self._readmodel.document(document_id)
            if own is None or not own["facts"] or own["facts"]["buyer"] != own_party["identity_fingerprint"]:
                continue
            if "amount" not in own["fingerprints"] and document is not None:
                yield document

    def _not_kept(self, invoice: Record) -> dict[str, Record]:
        """The proofs of an invoice that this node attested and does not have: it may have counted nothing in them."""
        found = {}
        for proof in self._matcher.unread(invoice):
            own = self._readmodel.record(keys.attestation(proof["document_id"], self._msp_id))
            if own is not None and own["verdict"] == "verified" and invoice["status"] in OPEN:
                found[proof["document_id"]] = proof
        return found

    def _not_checked(self, invoice: Record) -> dict[str, Record]:
        """The documents of an invoice that this node could not check by rules, and now can."""
        found = {}
        for document_id in invoice["document_ids"]:
            own = self._readmodel.record(keys.attestation(document_id, self._msp_id))
            document = self._readmodel.document(document_id)
            checked = own.get("rules") if own is not None else None
            if checked and checked["verdict"] == "indeterminate" and document is not None and self._has_rules():
                found[document_id] = document
        return found
