"""Which documents are to be read once more, though they are attested: what was said of them is not all that can be.

Goods that are counted in a proof have to be matched with the invoice that rests on it, whichever of the two came first;
and an invoice that could not be checked by rules is checked again when the node starts with rules that are there.
All of it follows from the ledger's records, so nothing is written here; what could not be done is tried again later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from chaincode.records import keys
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.goods import OPEN, GoodsMatcher

BLOCKS_A_LOOK = 200
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 2.0, 600.0


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
        self._pauses: dict[str, tuple[float, float]] = {}  # by invoice: when it is looked at next, and the pause then
        self._unchecked: set[str] = set()

    def begin_anew(self) -> None:
        """Look at all invoices that may still be paid."""
        self._looked_to = self._readmodel.block_number()
        open_invoices = self._readmodel.invoice_ids(OPEN)
        self._pauses = dict.fromkeys(open_invoices, (0.0, PAUSE_SECONDS))
        unchecked = set(self._not_checked(open_invoices))
        self._unchecked = unchecked if unchecked and self._has_rules() else set()

    def now(self, submitter: str, without: set[str]) -> Iterator[Record]:
        """Documents of a submitter to be read again now.

        Args:
            without: ids of documents that are in hand.
        """
        self._follow()
        for document_id in list(self._unchecked - without):
            document = self._readmodel.document(document_id)
            if document is None or document["submitter"] == submitter:
                self._unchecked.discard(document_id)
                if document is not None:
                    yield document
        for invoice_id, (not_before, pause) in list(self._pauses.items()):
            if time.time() < not_before:
                continue
            invoice = self._readmodel.invoice(invoice_id)
            lacking = self._matcher.lacking(invoice) if invoice is not None else []
            if not lacking:
                del self._pauses[invoice_id]
                continue
            for document in lacking:
                if document["submitter"] == submitter and document["document_id"] not in without:
                    self._pauses[invoice_id] = (time.time() + pause, min(2 * pause, PAUSE_SECONDS_MAX))
                    yield document

    def _follow(self) -> None:
        """Take in the invoices that something was written of since the last look."""
        newest = self._readmodel.block_number()
        while self._looked_to < newest:
            to = min(self._looked_to + BLOCKS_A_LOOK, newest)
            for key in self._readmodel.written(self._looked_to + 1, to, ("invoice", "attestation")):
                for invoice_id in self._of(key):
                    self._pauses[invoice_id] = (0.0, PAUSE_SECONDS)
            self._looked_to = to

    def _of(self, key: str) -> list[str]:
        """The invoices that a key of the ledger is about."""
        kind, record_id, *_ = key.split("/")
        if kind == "invoice":
            return [record_id]
        document = self._readmodel.document(record_id)
        return list((document or {}).get("invoice_ids") or ())

    def _not_checked(self, invoice_ids: list[str]) -> Iterator[str]:
        """The documents of invoices that this node could not check by rules."""
        for invoice_id in invoice_ids:
            invoice = self._readmodel.invoice(invoice_id)
            for document_id in invoice["document_ids"] if invoice is not None else ():
                own = self._readmodel.record(keys.attestation(document_id, self._msp_id))
                if own is not None and own.get("rules") and own["rules"]["verdict"] == "indeterminate":
                    yield document_id
