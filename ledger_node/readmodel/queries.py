"""The named questions that pages and the API ask of the read model. Answers are plain data."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import func, literal, or_, tuple_
from sqlmodel import col, select

from chaincode.records import keys
from ledger_node.database import Database, table_of
from ledger_node.errors import BadRequest
from ledger_node.readmodel import worklists
from ledger_node.readmodel.checks import last_touched, release_checks
from ledger_node.readmodel.counts import invoices_counted
from ledger_node.readmodel.naming import Sought
from ledger_node.readmodel.paging import PER_PAGE_MAX, Page, Record, only, page_of, plain, record_of
from ledger_node.readmodel.past import (
    ENTRY_ORDER,
    past_days,
    past_entries,
    past_keys,
    past_keys_by_block,
    past_values,
    past_writes,
)
from ledger_node.readmodel.tables import (
    INVOICE_SORTS,
    AccountRow,
    Checkpoint,
    DocumentRow,
    EntitlementRow,
    EntryRow,
    InvoiceRow,
    NameLinkRow,
    RecordRow,
)
from ledger_node.readmodel.timeline import document_writes, invoice_writes, shipment_timeline, timeline
from ledger_node.readmodel.told import reported


class ReadModel:
    """The named questions; may be asked from any thread.

    Args:
        database: the read-model database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Where it stands

    def block_number(self) -> int:
        """The number of the last block that is in here; -1 before the first."""
        with self._database.read() as session:
            row = session.get(Checkpoint, 0)
        return -1 if row is None else row.next_block - 1

    def changes(self) -> AbstractContextManager[Callable[[], bool]]:
        """A question to ask often: has anything been written since it was last asked? See `Database.changes`."""
        return self._database.changes()

    def written_by_block(self, after: int, up_to: int) -> dict[int, list[str]]:
        """The keys that were written in each block after one and up to another, by block."""
        return past_keys_by_block(self._database, after, up_to)

    def day(self) -> str:
        """The ledger's day, YYYY-MM-DD; empty before the first."""
        record = self.record(keys.DAY)
        return "" if record is None else str(record["date"])

    def founding(self) -> Record | None:
        """The founding of the consortium."""
        return self.record(keys.FOUNDING)

    # Records

    def record(self, key: str) -> Record | None:
        """The record under any key of the ledger; None when there is none."""
        with self._database.read() as session:
            row = session.get(RecordRow, key)
        return None if row is None else record_of(row)

    def records(self, kind: str, *, sought: Sought | None = None, page: int = 1, per_page: int = 50) -> Page:
        """The records of a kind, such as "credit_note", the latest first."""
        statement = only(select(RecordRow).where(RecordRow.kind == kind), kind, sought)
        return page_of(
            self._database, statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page
        )

    def found(self, kind: str, sought: Sought, limit: int) -> list[Record]:
        """Records of a kind that are sought, by key, with their ledger key as `key`; no more than the limit."""
        statement = only(select(RecordRow).where(RecordRow.kind == kind), kind, sought)
        with self._database.read() as session:
            rows = session.exec(statement.order_by(col(RecordRow.key)).limit(limit)).all()
        return [{**record_of(row), "key": row.key} for row in rows]

    def name_keys(self, ledger_keys: Collection[str]) -> dict[str, list[str]]:
        """The keys of the names of some records, by their own keys; `naming` says what they are."""
        found: dict[str, list[str]] = defaultdict(list)
        wanted = sorted(set(ledger_keys))
        with self._database.read() as session:
            for start in range(0, len(wanted), PER_PAGE_MAX):
                some = col(NameLinkRow.record).in_(wanted[start : start + PER_PAGE_MAX])
                for row in session.exec(select(NameLinkRow).where(some)).all():
                    found[row.record].append(row.name_key)
        return found

    def party(self, msp_id: str) -> Record | None:
        """The party of that MSP id."""
        return self.record(keys.party(msp_id))

    def parties(self) -> list[Record]:
        """All parties, by MSP id."""
        return self._kind("party")

    def facility(self, facility_id: str) -> Record | None:
        """The facility of that id."""
        return self.record(keys.facility(facility_id))

    def facilities(self) -> list[Record]:
        """All facilities, by id."""
        return self._kind("facility")

    def acceptances(self, sought: Sought | None = None) -> list[Record]:
        """All acceptances of suppliers by financiers, or those that are sought."""
        return self._kind("acceptance", sought)

    def shipment(self, shipment_id: str) -> Record | None:
        """The shipment of that id."""
        return self.record(keys.shipment(shipment_id))

    def shipments(
        self,
        *,
        state: str = "",
        supplier: str = "",
        buyer: str = "",
        carrier: str = "",
        sought: Sought | None = None,
        page: int = 1,
        per_page: int = 50,
    ) -> Page:
        """Shipments, the latest first; `state` as in `worklists`."""
        parties = {"supplier": supplier, "buyer": buyer, "carrier": carrier}
        statement = only(worklists.shipments(self._database.dialect, state, parties), "shipment", sought)
        return page_of(
            self._database, statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page
        )

    def requests(
        self, *, financier: str = "", state: str = "", sought: Sought | None = None, page: int = 1, per_page: int = 50
    ) -> Page:
        """Offers of single invoices for early payment, the latest first; "open" as of the ledger's day."""
        own = [each["facility_id"] for each in self.facilities() if each["financier"] == financier]
        open_on = self.day() if state == "open" else ""
        statement = worklists.requests(self._database.dialect, own if financier else None, open_on)
        statement = only(statement, "request", sought)
        return page_of(
            self._database, statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page
        )

    def events(self, shipment_id: str) -> list[Record]:
        """What was reported about a shipment, in the order of the ledger."""
        with self._database.read() as session:
            return reported(session, shipment_id)

    # Documents

    def document(self, document_id: str) -> Record | None:
        """The document of that id, whoever submitted it."""
        return self.record(keys.document(document_id))

    def documents(
        self, *, submitter: str = "", kind: str = "", sought: Sought | None = None, page: int = 1, per_page: int = 50
    ) -> Page:
        """Documents, the latest first."""
        statement = select(RecordRow).join(
            DocumentRow, col(RecordRow.key) == literal("document/") + col(DocumentRow.document_id)
        )
        statement = only(statement, "document", sought)
        if submitter:
            statement = statement.where(DocumentRow.submitter == submitter)
        if kind:
            statement = statement.where(DocumentRow.kind == kind)
        return page_of(
            self._database, statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page
        )

    def documents_after(self, document_id: str, party: str, limit: int) -> list[Record]:
        """Documents after an id, by id, that a party has submitted or attested."""
        with self._database.read() as session:
            rows = session.exec(worklists.documents_after(document_id, party).limit(limit)).all()
        return [record_of(row) for row in rows]

    def commitments(self, document_ids: Collection[str]) -> dict[str, str]:
        """The commitment of each of some documents that is on the ledger."""
        wanted = [keys.document(document_id) for document_id in document_ids]
        with self._database.read() as session:
            rows = session.exec(select(RecordRow).where(col(RecordRow.key).in_(wanted))).all()
        return {keys.last_part(row.key): str(json.loads(row.value)["commitment"]) for row in rows}

    def attestations(self, document_id: str) -> list[Record]:
        """The latest attestation of each party, in the order of the ledger."""
        return self._range(*keys.prefix_range(f"attestation/{document_id}/"))

    def unattested(
        self, msp_id: str, submitter: str, *, after: tuple[int, str] = (-1, ""), limit: int = PER_PAGE_MAX
    ) -> list[Record]:
        """Documents of a submitter that a party is entitled to and has not attested, or could not get; oldest first.

        Args:
            after: block number and document id of the last one that is known already.
            limit: how many at most; the index gives no more than these.
        """
        entitlement = table_of(EntitlementRow).c
        place = tuple_(entitlement.block_number, entitlement.document_id)
        statement = (
            select(RecordRow)
            .join(table_of(EntitlementRow), col(RecordRow.key) == literal("document/") + entitlement.document_id)
            .where(entitlement.party == msp_id, entitlement.submitter == submitter, entitlement.open)
            .where(place > tuple_(literal(after[0]), literal(after[1])))
            .order_by(entitlement.block_number, entitlement.document_id)
            .limit(limit)
        )
        with self._database.read() as session:
            return [record_of(row) for row in session.exec(statement).all()]

    def verdicts(self, msp_id: str) -> dict[str, int]:
        """How many documents a party is entitled to, by its latest verdict; "pending" before the first."""
        statement = (
            select(EntitlementRow.verdict, func.count())
            .where(EntitlementRow.party == msp_id)
            .group_by(EntitlementRow.verdict)
        )
        with self._database.read() as session:
            return {verdict or "pending": count for verdict, count in session.exec(statement).all()}

    # Invoices

    def invoice(self, invoice_id: str) -> Record | None:
        """The invoice of that id."""
        return self.record(keys.invoice(invoice_id))

    def invoices(
        self,
        *,
        status: str = "",
        supplier: str = "",
        buyer: str = "",
        holder: str = "",
        sought: Sought | None = None,
        sort: str = "-day",
        page: int = 1,
        per_page: int = 50,
    ) -> Page:
        """Invoices that fit all that is given.

        Args:
            status, supplier, buyer, holder: empty for any.
            sought: by names and ids; None for any.
            sort: one of INVOICE_SORTS, with a minus before it for the greatest first.
            page: from 1.
            per_page: 1 to PER_PAGE_MAX.

        Raises: BadRequest.
        """
        name = sort.removeprefix("-")
        if name not in INVOICE_SORTS:
            raise BadRequest(f"invoices are not sorted by {name!r}", f"Use one of: {', '.join(INVOICE_SORTS)}.")
        statement = select(RecordRow).join(
            InvoiceRow, col(RecordRow.key) == literal("invoice/") + col(InvoiceRow.invoice_id)
        )
        asked = {"status": status, "supplier": supplier, "buyer": buyer, "holder": holder}
        given = {column: wanted for column, wanted in asked.items() if wanted}
        fits = [getattr(InvoiceRow, column) == wanted for column, wanted in given.items()]
        statement, order = only(statement.where(*fits), "invoice", sought), getattr(InvoiceRow, name)
        return page_of(
            self._database,
            statement,
            [order.desc() if sort.startswith("-") else order, col(InvoiceRow.invoice_id)],
            page,
            per_page,
            None if sought else invoices_counted(given),
        )

    def invoice_ids(self, statuses: Collection[str]) -> list[str]:
        """The ids of all invoices of some statuses, in order."""
        statement = select(InvoiceRow.invoice_id).where(col(InvoiceRow.status).in_(statuses))
        with self._database.read() as session:
            return list(session.exec(statement.order_by(col(InvoiceRow.invoice_id))).all())

    def written(self, first: int, last: int, kinds: Collection[str]) -> list[str]:
        """The keys of some kinds that were written in some blocks, each once.

        Args:
            first, last: numbers of blocks, both included.
            kinds: how keys begin, before their first slash.
        """
        return past_keys(self._database, first, last, kinds)

    def shipment_timeline(self, shipment_id: str) -> list[Record]:
        """Every write that touched a shipment, its events or the papers that they name, in order; as `timeline`."""
        named = {event["document_id"] for event in self.events(shipment_id)} - {""}
        return shipment_timeline(self._database, shipment_id, sorted(named))

    def timeline(self, invoice_id: str) -> list[Record]:
        """Every write that touched the invoice, what it rests on or what was said of it, in order.

        Returns: `{what, key, msp_id, transaction_id, block_number, timestamp, value}` each; empty when unknown.
        """
        invoice = self.invoice(invoice_id)
        if invoice is None:
            return []
        return timeline(self._database, invoice)

    def invoice_writes(self, invoice_id: str) -> list[Record]:
        """Every write of an invoice's story, as `timeline.invoice_writes` has it; empty when unknown."""
        invoice = self.invoice(invoice_id)
        return [] if invoice is None else invoice_writes(self._database, invoice)

    def document_writes(self, document_id: str) -> list[Record]:
        """Every write of a document and its attestations, as `timeline.invoice_writes` has it; empty when unknown."""
        return document_writes(self._database, document_id)

    def release_checks(self, invoice_ids: Collection[str]) -> dict[str, Record]:
        """The contract's own release check of invoices, on the state as it is here, by id."""
        return release_checks(self._database, invoice_ids)

    def last_touched(self, kind: str, records: Sequence[Record]) -> list[str]:
        """When something last happened to each of some records, as `checks` has it, RFC 3339."""
        return last_touched(self._database, kind, records)

    # Money

    def accounts(self, *, party: str = "", book: str = "", invoice_id: str = "") -> list[Record]:
        """Balances that fit all that is given, by key."""
        statement = select(AccountRow).order_by(col(AccountRow.key))
        for column, wanted in (("party", party), ("book", book), ("invoice_id", invoice_id)):
            if wanted:
                statement = statement.where(getattr(AccountRow, column) == wanted)
        with self._database.read() as session:
            return [plain(row) for row in session.exec(statement).all()]

    def entries(
        self, *, invoice_id: str = "", unit: str = "", account: str = "", page: int = 1, per_page: int = 50
    ) -> Page:
        """Movements that fit all that is given, in the order of the ledger.

        Args:
            invoice_id: movements of its obligations, and of the cash that was paid for it.
            account: a name such as "cash:BuyerMSP", on either side.
        """
        statement = select(EntryRow)
        if invoice_id:
            statement = statement.where(EntryRow.invoice_id == invoice_id)
        if unit:
            statement = statement.where(EntryRow.unit == unit)
        if account:
            statement = statement.where(or_(col(EntryRow.debit) == account, col(EntryRow.credit) == account))
        return page_of(self._database, statement, list(ENTRY_ORDER), page, per_page)

    # The past, for reports

    def past(self, prefix: str, block_number: int) -> list[tuple[str, str]]:
        """What stood at a block under every key that begins with `prefix`: key and JSON text, by key."""
        return past_values(self._database, prefix, block_number)

    def past_writes(self, prefix: str, block_number: int, containing: str) -> list[tuple[str, str]]:
        """Every value with a text in it that was written up to a block under the keys that begin with `prefix`."""
        return past_writes(self._database, prefix, block_number, containing)

    def past_days(self) -> list[tuple[int, str]]:
        """Every day that the ledger has had, as JSON text, with the block that opened it; in their order."""
        return past_days(self._database)

    def past_entries(self, block_number: int, party: str = "") -> list[Record]:
        """The movements up to a block, in order: all, or those of a party's accounts."""
        return past_entries(self._database, block_number, party)

    # Shared

    def _kind(self, kind: str, sought: Sought | None = None) -> list[Record]:
        statement = only(select(RecordRow).where(RecordRow.kind == kind), kind, sought).order_by(col(RecordRow.key))
        with self._database.read() as session:
            return [record_of(row) for row in session.exec(statement).all()]

    def _range(self, start: str, end: str) -> list[Record]:
        statement = (
            select(RecordRow)
            .where(col(RecordRow.key) >= start, col(RecordRow.key) < end)
            .order_by(col(RecordRow.block_number), col(RecordRow.key))
        )
        with self._database.read() as session:
            return [record_of(row) for row in session.exec(statement).all()]
