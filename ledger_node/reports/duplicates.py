"""Duplicates: every claim on a fingerprint that more than one invoice claims, and the clearings by persons.

The first claim is the unique one. Fingerprints are keyed, so the report shows no invoice number.
"""

from __future__ import annotations

from chaincode.records import Fingerprint, Invoice
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Row, Table, decimal

COLUMNS = (
    "kind", "epoch", "supplier", "fingerprint", "claim", "invoice_id", "claim_state", "invoice_status", "buyer",
    "amount", "currency", "issue_date", "duplicate_of", "cleared_on", "cleared_by_persons", "reason_commitment",
)  # fmt: skip


def duplicates(past: Past) -> Table:
    """All claims on fingerprints that look alike, in the order in which they were made."""
    invoices = {invoice.invoice_id: invoice for invoice in past.of(Invoice)}
    rows = [
        _row(key, fingerprint, number, invoices[claim.invoice_id])
        for key, fingerprint in past.keyed(Fingerprint)
        if len(fingerprint.claims) > 1
        for number, claim in enumerate(fingerprint.claims)
    ]
    return Table("duplicates", past.block_number, past.day, COLUMNS, tuple(rows))


def _row(key: str, fingerprint: Fingerprint, number: int, invoice: Invoice) -> Row:
    claim, clearance = fingerprint.claims[number], invoice.clearance
    return {
        "kind": "predecessor" if claim.reference else fingerprint.kind,
        "epoch": str(fingerprint.epoch),
        "supplier": claim.supplier,
        "fingerprint": key.rpartition("/")[2],
        "claim": str(number + 1),
        "invoice_id": claim.invoice_id,
        "claim_state": claim.state,
        "invoice_status": invoice.status,
        "buyer": invoice.buyer,
        "amount": decimal(invoice.facts.amount_minor, invoice.facts.currency),
        "currency": invoice.facts.currency,
        "issue_date": invoice.facts.issue_date,
        "duplicate_of": invoice.duplicate_of,
        "cleared_on": clearance.day if clearance else "",
        "cleared_by_persons": str(len(clearance.persons)) if clearance else "",
        "reason_commitment": clearance.reason_commitment if clearance else "",
    }
