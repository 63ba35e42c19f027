"""What invoices rest on: documents and shipments name them, so that news of one finds the invoices without a search."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context
from chaincode.records import Document, Invoice, Shipment, keys
from chaincode.rules import invoices


async def linked(context: Context, record: Document | Shipment) -> tuple[str, ...]:
    """The ids of the invoices that rest on a document or shipment."""
    if record.invoice_ids is not None:
        return record.invoice_ids
    if isinstance(record, Document):
        bounds = keys.document_links(record.document_id)
    else:
        bounds = keys.shipment_links(record.shipment_id)
    return tuple([keys.last_part(key) for key in await context.read_index(bounds)])


async def linked_invoices(context: Context, record: Document | Shipment) -> list[Invoice]:
    """The invoices that rest on a document or shipment."""
    return await context.invoices(await linked(context, record))


async def link(context: Context, invoice: Invoice) -> None:
    """Name an invoice in what it rests on. Raises: Refusal: LINKS_EXHAUSTED."""
    for key, record in await _rests_on(context, invoice):
        names = await linked(context, record)
        invoices.require_links(len(names), key.replace("/", " "))
        context.write(key, replace(record, invoice_ids=(*names, invoice.invoice_id)))


async def unlink(context: Context, invoice: Invoice) -> None:
    """Forget that an invoice rests on its documents and shipments: no news of them concerns it any more."""
    for key, record in await _rests_on(context, invoice):
        names = await linked(context, record)
        context.write(key, replace(record, invoice_ids=tuple(name for name in names if name != invoice.invoice_id)))


async def _rests_on(context: Context, invoice: Invoice) -> list[tuple[str, Document | Shipment]]:
    found: list[tuple[str, Document | Shipment | None]] = []
    for document_id in (*invoice.document_ids, *invoice.proof_ids):
        key = keys.document(document_id)
        found.append((key, await context.read(Document, key)))
    for shipment_id in invoice.shipment_ids:
        key = keys.shipment(shipment_id)
        found.append((key, await context.read(Shipment, key)))
    return [(key, record) for key, record in found if record]
