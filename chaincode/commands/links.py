"""The index of what invoices rest on, by which news of a document or shipment finds them."""

from __future__ import annotations

from chaincode.commands.context import Context
from chaincode.records import Invoice, keys
from chaincode.rules import invoices


async def link(context: Context, invoice: Invoice) -> None:
    """Index an invoice under what it rests on. Raises: Refusal: LINKS_EXHAUSTED."""
    for document_id in (*invoice.document_ids, *invoice.proof_ids):
        linked = await context.read_index(keys.document_links(document_id))
        invoices.require_links(len(linked), f"document {document_id}")
        context.mark(keys.document_link(document_id, invoice.invoice_id))
    for shipment_id in invoice.shipment_ids:
        linked = await context.read_index(keys.shipment_links(shipment_id))
        invoices.require_links(len(linked), f"shipment {shipment_id}")
        context.mark(keys.shipment_link(shipment_id, invoice.invoice_id))
