"""The worker that answers invoices by itself: for each change of what the ledger says to a supplier, one file.

The files go into a folder from which a network of electronic invoices takes them, as its access points do. What is
answered follows from the ledger alone, block by block, so it is the same whenever it is computed; several changes
within one block are one answer. An invoice whose document cannot be had now holds up no other.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from chaincode import records
from chaincode.records import keys
from ledger_node.database import Database
from ledger_node.errors import BadRequest, NodeError
from ledger_node.formats import FormatError
from ledger_node.issuing.response import Answer, address, address_of, answer_of, name_of, read_answered, write_response
from ledger_node.notifications.responses import Responses
from ledger_node.notifications.tables import ResponseRow
from ledger_node.readmodel import ReadModel, Record
from ledger_node.readmodel.past import past_rows, past_write
from ledger_node.readmodel.tables import HistoryRow

LOOK_SECONDS, LOOK_SECONDS_MAX = 0.5, 10.0
ROWS_MAX = 5000
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 5.0, 600.0

log = structlog.get_logger(__name__)


class Responder:
    """Answers one node's suppliers.

    Args:
        msp_id: whose node it is; the buyer.
        responses: what is answered, and how far that has come.
        readmodel: knows the documents.
        database: the read model's.
        opened: the content of a document that this organisation may read.
        height: how many blocks the ledger has.
        folder: where the files go; made when missing.
        sender: the own electronic address, SCHEME:ID, instead of what invoices say; empty for that.
    """

    def __init__(
        self,
        msp_id: str,
        responses: Responses,
        readmodel: ReadModel,
        database: Database,
        opened: Callable[[Record], BinaryIO],
        height: Callable[[], int],
        folder: Path,
        sender: str,
    ) -> None:
        self._msp_id = msp_id
        self._responses = responses
        self._readmodel = readmodel
        self._database = database
        self._opened = opened
        self._height = height
        self._folder = folder
        self._sender = address(sender)

    def run(self, stop: threading.Event) -> None:
        """Answer until `stop` is set."""
        looked_at = 0.0
        self._responses.try_failed_again()  # settings may say now what was missing
        with self._database.changes() as changed:
            while not stop.wait(LOOK_SECONDS):
                if changed() or time.monotonic() - looked_at > LOOK_SECONDS_MAX:
                    looked_at = time.monotonic()
                    while self.put_down() and not stop.is_set():
                        pass
                    self.write(stop)

    def put_down(self) -> bool:
        """Put down what is to be answered since the last time, and say whether there may be more.

        Nothing is answered that changed before the first time: a supplier wants no years of answers at once. Where that
        is, the ledger says; the read model may be behind, or be made anew after an upgrade.

        Raises: LedgerError, the first time, when the ledger does not answer.
        """
        place = self._responses.place()
        past = past_rows(self._database, place.next_block if place else 0, ("invoice", "attestation"), "", ROWS_MAX)
        if place is None:
            self._responses.put(self._height(), past.genesis_hash, [])
            return True
        if place.genesis_hash not in ("", past.genesis_hash) and past.genesis_hash:
            log.warning("the ledger is another one: its invoices are answered from the first on")
            self._responses.put(0, past.genesis_hash, [])
            return True
        if past.next_block <= place.next_block:
            return False  # nothing is new, or the read model is being made anew and has not come so far
        answers = list(self._answers(past.rows))
        if self._readmodel.block_number() < past.next_block - 1:
            return False  # it was emptied meanwhile, and what was looked up may have been gone
        self._responses.put(past.next_block, past.genesis_hash, answers)
        return True

    def write(self, stop: threading.Event) -> None:
        """Write the files that are due, and those that they held up."""
        while rows := self._responses.due():
            for row in rows:
                if stop.is_set():
                    return
                self._try(row)

    def _try(self, row: ResponseRow) -> None:
        try:
            self._write(row)
        except (BadRequest, FormatError) as error:
            self._responses.failed(row.id, f"{error.text}. {error.remedy}")
            log.warning("an invoice cannot be answered", invoice_id=row.invoice_id, reason=error.text)
        except (NodeError, OSError) as error:
            pause = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2.0 ** min(row.tries, 60))
            self._responses.later(row.id, str(error), pause)
            log.info("an invoice cannot be answered now", invoice_id=row.invoice_id, reason=str(error), again_in=pause)
        else:
            self._responses.written(row.id)

    def _answers(self, rows: list[HistoryRow]) -> Iterator[dict[str, Any]]:
        """What is answered since these writes, which are those of whole blocks."""
        touched: set[tuple[int, str]] = set()
        for row in rows:
            kind, identity, *party = row.key.split("/")
            if kind == "invoice":
                touched.add((row.block_number, identity))
            elif party == [self._msp_id]:
                document = self._readmodel.document(identity) or {}
                touched |= {(row.block_number, invoice_id) for invoice_id in document.get("invoice_ids") or ()}
        for block_number, invoice_id in sorted(touched):
            said, before = self._said(invoice_id, block_number), self._said(invoice_id, block_number - 1)
            if said is not None and (before is None or before.answer != said.answer):
                yield said.as_row(invoice_id)

    def _said(self, invoice_id: str, block_number: int) -> _Said | None:
        """What this organisation says to an invoice as of a block; None where it is not the buyer or there is none."""
        row = past_write(self._database, keys.invoice(invoice_id), block_number)
        if row is None:
            return None
        invoice = _invoice(row)
        if invoice.buyer != self._msp_id:
            return None
        document_id = invoice.document_ids[0]
        attested = past_write(self._database, keys.attestation(document_id, self._msp_id), block_number)
        state = {"status": invoice.status, "credited_minor": invoice.credited_minor}
        answer = answer_of(state, attested is not None, Answer(""))
        last = row if attested is None else max(row, attested, key=lambda each: each.block_number)
        name = name_of(invoice_id, row.block_number, answer)
        return _Said(name, answer, last.block_number, document_id, last.timestamp[:10])

    def _write(self, row: ResponseRow) -> None:
        """One file. Raises: BadRequest, FormatError when it never will be; NodeError, OSError when it is not now."""
        document = self._readmodel.document(row.document_id)
        if document is None:
            raise NodeError(f"the document {row.document_id} is not in the read model yet", "It is tried again.")
        with self._opened(document) as stream:
            xml, facts = read_answered(stream.read())
        sender = self._sender or address_of(xml, "BG-7", facts.buyer)
        receiver = address_of(xml, "BG-4", facts.supplier)
        answer = Answer(row.code, row.reason, row.text)
        content = write_response(facts, sender, receiver, answer, row.id, dt.date.fromisoformat(row.made_on))
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{row.id}.part"  # whoever takes files takes none that begins with a dot
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / f"{row.id}.xml")
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)  # a new name outlives a power failure only when its folder is on disk too
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer with its id, since which block it is so, the invoice's document, and the day, YYYY-MM-DD."""

    name: str
    answer: Answer
    block_number: int
    document_id: str
    made_on: str

    def as_row(self, invoice_id: str) -> dict[str, Any]:
        """What ResponseRow says of it."""
        return {
            "id": self.name,
            "invoice_id": invoice_id,
            "document_id": self.document_id,
            "block_number": self.block_number,
            "code": self.answer.code,
            "reason": self.answer.reason,
            "text": self.answer.text,
            "made_on": self.made_on,
        }


def _invoice(row: HistoryRow) -> records.Invoice:
    assert row.value is not None  # invoices are never deleted
    return records.decode(records.Invoice, row.value.encode())
