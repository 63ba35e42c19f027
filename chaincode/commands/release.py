"""Reads what a release check looks at, in few round trips, and pays when all seven classes are VALID."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from chaincode.commands.context import Context
from chaincode.commands.told import all_events, reports_keys
from chaincode.money import deposit_currency, deposit_issuer
from chaincode.records import (
    Account,
    Attestation,
    BuyerLimit,
    Document,
    Facility,
    Fingerprint,
    Hold,
    Invoice,
    Party,
    Request,
    Shipment,
    SupplierAcceptance,
    keys,
)
from chaincode.rules import books, facilities, fingerprints, invoices
from chaincode.rules.holds import limit_on
from chaincode.rules.release import Assessment, assess
from chaincode.rules.snapshot import Candidate, Snapshot

R = TypeVar("R")


async def release(context: Context, invoice_ids: Sequence[str]) -> list[str]:
    """Check invoices one after the other, pay those that can be paid, and say which they are.

    Each check sees what the payments before it have left of limits and deposits.
    """
    released = []
    await context.prefetch(keys.invoice(invoice_id) for invoice_id in invoice_ids)
    for invoice_id in invoice_ids:
        invoice = await context.read(Invoice, keys.invoice(invoice_id))
        if invoice and invoice.status == "approved" and invoice.reservation is None:
            assessment = await check(context, invoice)
            if assessment.releasable:
                await pay(context, invoice, assessment)
                released.append(invoice_id)
    return released


async def check(context: Context, invoice: Invoice, decided: str = "") -> Assessment:
    """Check the release of an invoice on the state as it is.

    Args:
        context: the command, or query.
        invoice: the invoice, not paid early.
        decided: the facility that its financier decides, in this very command, to fund the invoice out of; then no
            other is looked at. Empty when there is no such decision.
    """
    return assess(await _read_snapshot(context, invoice, decided))


async def check_offer(context: Context, invoice: Invoice, facility_id: str) -> Assessment:
    """Check the release of an invoice as if it had been offered to this facility, and to no other, today.

    Args:
        context: the query.
        invoice: the invoice, not paid early.
        facility_id: of a facility that exists.
    """
    wish = Request(invoice.supplier, invoice.invoice_id, (facility_id,), 0, context.day, context.day)
    return assess(await _read_snapshot(context, invoice, wish=wish))


async def pay(context: Context, invoice: Invoice, assessment: Assessment) -> None:
    """Pay an invoice early: money to the supplier, claim to the financier, limits and fingerprints used up.

    What was set aside for it is paid out of that, at the quote that it was set aside for.
    """
    facility, quote = assessment.facility, assessment.quote
    assert assessment.releasable and facility and quote, "nothing is paid without seven VALID classes"
    payer = books.cash_name(facility.financier, facility.deposit)
    if invoice.reservation:
        assert invoice.reservation.facility_id == facility.facility_id, "money is set aside out of another facility"
        payer = f"reserved:{facility.financier}"
    paid = invoices.pay_early(invoice, facility, quote, context.day, context.transaction_id)
    payee, net_minor = books.cash_name(invoice.supplier, facility.deposit), quote.net_minor
    await context.post(books.transfer(facility.deposit, payee, payer, net_minor, "early_payment", invoice.invoice_id))
    debit, credit = f"recv:{facility.financier}", f"recv:{invoice.supplier}"
    currency, face_minor = invoice.facts.currency, invoice.open_face_minor
    await context.post(books.obligation(invoice.invoice_id, currency, debit, credit, face_minor, "assignment"))
    context.write(keys.invoice(invoice.invoice_id), paid)
    context.mark(keys.unacknowledged(invoice.buyer, context.day, invoice.invoice_id))
    context.write(keys.facility(facility.facility_id), facilities.use(facility, invoice.supplier, face_minor))
    claim_keys = fingerprints.claim_keys(invoice)
    claimed = [_present(one) for one in await context.read_many(Fingerprint, claim_keys)]
    for key, fingerprint in zip(claim_keys, fingerprints.finance(claimed, invoice), strict=True):
        context.write(key, fingerprint)


async def read_request(context: Context, invoice: Invoice) -> Request | None:
    """The supplier's request for the invoice while it is valid, else its standing one, else whichever has expired."""
    own = await context.read(Request, keys.request(invoice.invoice_id))
    if own and own.valid_until >= context.day:
        return own
    standing = await context.read(Request, keys.standing_request(invoice.supplier))
    return standing if standing and (own is None or standing.valid_until >= context.day) else own


async def _read_snapshot(
    context: Context, invoice: Invoice, decided: str = "", wish: Request | None = None
) -> Snapshot:
    """Three round trips for what is named by keys, and a range for each issuer and list of the buyer's."""
    await context.prefetch(_keys_of_first_trip(invoice))
    request = wish or await read_request(context, invoice)
    asked = [facility_id for facility_id in request.facility_ids if decided in ("", facility_id)] if request else []
    await context.prefetch(_keys_of_second_trip(invoice, asked))
    documents, shipments, offers = await _read_named(context, invoice, asked)
    await context.prefetch(_keys_of_third_trip(invoice, documents, shipments, offers))
    return Snapshot(
        day=context.day,
        invoice=invoice,
        parties=await _read_parties(context, _party_names(invoice, documents, shipments, offers)),
        documents={document.document_id: document for document in documents},
        attestations={document.document_id: await _read_attestations(context, document) for document in documents},
        shipments=tuple(shipments),
        events={shipment.shipment_id: await all_events(context, shipment) for shipment in shipments},
        fingerprints=tuple(await context.read_many(Fingerprint, fingerprints.claim_keys(invoice))),
        request=request,
        candidates=tuple([await _read_candidate(context, invoice, offer, decided) for offer in offers]),
        oldest_due=await _oldest(context, keys.open_items_due_before(invoice.buyer, context.day)),
        oldest_notice=await _oldest(context, keys.unacknowledged_noticed_before(invoice.buyer, context.day)),
    )


async def look_ahead(context: Context, invoices: Sequence[Invoice], keys_max: int) -> None:
    """Ask together for what the checks of several invoices will read, but for ranges: three round trips for all.

    Args:
        context: of a batch; nothing is decided, and what is not asked for here is read when it is needed.
        invoices: that are likely to be checked.
        keys_max: of each round trip.
    """
    await context.prefetch(islice((key for each in invoices for key in _keys_of_first_trip(each)), keys_max))
    requests = [await read_request(context, invoice) for invoice in invoices]
    asked = [(each, request.facility_ids if request else ()) for each, request in zip(invoices, requests, strict=True)]
    second = (key for invoice, names in asked for key in _keys_of_second_trip(invoice, names))
    await context.prefetch(islice(second, keys_max))
    named = [(invoice, await _read_named(context, invoice, names)) for invoice, names in asked]
    third = (key for invoice, found in named for key in _keys_of_third_trip(invoice, *found))
    await context.prefetch(islice(third, keys_max))


def _keys_of_first_trip(invoice: Invoice) -> list[str]:
    return [keys.request(invoice.invoice_id), keys.standing_request(invoice.supplier)]


def _keys_of_second_trip(invoice: Invoice, facility_ids: Sequence[str]) -> Iterable[str]:
    yield from map(keys.facility, facility_ids)
    yield from map(keys.document, (*invoice.document_ids, *invoice.proof_ids))
    yield from map(keys.shipment, invoice.shipment_ids)
    yield from fingerprints.claim_keys(invoice)


async def _read_named(
    context: Context, invoice: Invoice, facility_ids: Sequence[str]
) -> tuple[list[Document], list[Shipment], list[Facility]]:
    """What the invoice rests on, and to whom it is offered."""
    document_ids = (*invoice.document_ids, *invoice.proof_ids)
    return (
        [_present(await context.read(Document, keys.document(name))) for name in document_ids],
        [_present(await context.read(Shipment, keys.shipment(name))) for name in invoice.shipment_ids],
        [_present(await context.facility(name)) for name in facility_ids],
    )


def _present(record: R | None) -> R:
    """A record that another one names was checked to exist when it was named, and records are never deleted."""
    assert record is not None, "a record that is named on the ledger stands on the ledger"
    return record


def _party_names(
    invoice: Invoice, documents: list[Document], shipments: list[Shipment], offers: list[Facility]
) -> list[str]:
    names = [invoice.supplier, invoice.buyer]
    for document in documents:
        names += [document.submitter, *document.entitled]
    names += [shipment.carrier for shipment in shipments]
    for offer in offers:
        names += [offer.financier, deposit_issuer(offer.deposit)]
    return list(dict.fromkeys(names))


def _keys_of_third_trip(
    invoice: Invoice, documents: list[Document], shipments: list[Shipment], offers: list[Facility]
) -> Iterable[str]:
    yield from map(keys.party, _party_names(invoice, documents, shipments, offers))
    yield keys.obligation_account(invoice.invoice_id, f"recv:{invoice.supplier}")
    for document in documents:
        yield from _attestation_keys(document)
    for shipment in shipments:
        yield from reports_keys(shipment)
    for offer in offers:
        yield keys.obligation_account(invoice.invoice_id, f"recv:{offer.financier}")
        yield keys.cash_account(offer.deposit, books.cash_name(invoice.supplier, offer.deposit))
        yield keys.acceptance(offer.financier, invoice.supplier)
        yield keys.cash_account(offer.deposit, books.cash_name(offer.financier, offer.deposit))
        yield keys.cash_account(offer.deposit, f"suspense:{offer.financier}")
        yield keys.hold(offer.financier, invoice.supplier)
        yield keys.hold(offer.financier, invoice.buyer)
        yield keys.decline(invoice.invoice_id, offer.facility_id)
        yield keys.buyer_limit(offer.financier, offer.buyer, deposit_currency(offer.deposit))


def _attestation_keys(document: Document) -> list[str]:
    return [keys.attestation(document.document_id, msp_id) for msp_id in document.entitled]


async def _read_parties(context: Context, names: list[str]) -> dict[str, Party]:
    return {party.msp_id: party for party in await context.parties(names) if party}


async def _read_attestations(context: Context, document: Document) -> tuple[Attestation, ...]:
    found = await context.read_many(Attestation, _attestation_keys(document))
    return tuple(attestation for attestation in found if attestation)


async def _read_candidate(context: Context, invoice: Invoice, facility: Facility, decided: str) -> Candidate:
    name = books.cash_name(facility.financier, facility.deposit)
    account = await context.read(Account, keys.cash_account(facility.deposit, name))
    limit_minor = await context.issue_limit_minor(facility.deposit) if name.startswith("issued:") else 0
    spendable_minor = books.spendable_minor(account, name, limit_minor)
    if invoice.reservation and invoice.reservation.facility_id == facility.facility_id:
        spendable_minor += invoice.reservation.net_minor
    shortfall = await context.read(Account, keys.cash_account(facility.deposit, f"suspense:{facility.financier}"))
    if shortfall and shortfall.balance_minor:
        spendable_minor = 0
    named = (invoice.supplier, invoice.buyer)
    holds = await context.read_many(Hold, [keys.hold(facility.financier, msp_id) for msp_id in named])
    return Candidate(
        facility=facility,
        acceptance=await context.read(SupplierAcceptance, keys.acceptance(facility.financier, invoice.supplier)),
        spendable_minor=spendable_minor,
        decided=facility.facility_id == decided,
        held=tuple(hold.msp_id for hold in holds if hold),
        declined=await context.exists(keys.decline(invoice.invoice_id, facility.facility_id)),
        buyer_left_minor=await _read_buyer_left(context, facility),
    )


async def _read_buyer_left(context: Context, facility: Facility) -> int | None:
    """What is left of the financier's limit of the buyer over all its facilities, None without one.

    A facility of an older ledger may not be among those named; it counts when it is asked itself.
    """
    currency = deposit_currency(facility.deposit)
    found = await context.read(BuyerLimit, keys.buyer_limit(facility.financier, facility.buyer, currency))
    if found is None:
        return None
    limit = limit_on(found, context.day)
    names = sorted({*limit.facility_ids, facility.facility_id})
    used = await context.read_many(Facility, [keys.facility(name) for name in names])
    return limit.limit_minor - sum(one.used_minor for one in used if one)


async def _oldest(context: Context, bounds: tuple[str, str]) -> str:
    """The date in the first index key of a range that is in order of dates, empty when there is none."""
    found = await context.read_index(bounds, limit=1)
    return found[0].split("/")[2] if found else ""
