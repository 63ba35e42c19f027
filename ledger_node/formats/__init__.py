"""One file per document standard: bytes of strangers become plain frozen facts, or a refusal with a name.

This room reads what a document itself says and believes no one else. It opens no socket, writes nothing, knows neither
ledger nor parties, and lets nothing out but `FormatError` (and the disk's own OSError from `read_facts`).
"""

from __future__ import annotations

from pathlib import Path

from ledger_node.formats import sniff
from ledger_node.formats.facts import (
    CreditNoteFacts,
    EventFacts,
    EventKind,
    Facts,
    FormatCode,
    FormatError,
    GoodsFacts,
    InvoiceFacts,
    PartyFacts,
    PdfFacts,
    TransportFacts,
    facts_json,
)
from ledger_node.formats.pdf import invoice_inside, read_pdf
from ledger_node.formats.transport import READ, read_events, read_events_xml
from ledger_node.formats.ubl_cii import read_credit_note, read_invoice

DOCUMENT_KINDS = ("invoice", "credit_note", "proof_of_delivery", "transport_events")
LEDGER_KINDS = {"invoice": "invoice", "credit_note": "invoice"} | {kind: kind for kind in DOCUMENT_KINDS[2:]}
"""What the ledger calls a kind: EN 16931 has one model for invoices and credit notes, and so has the ledger."""
DOCUMENT_BYTES_MAX = {sniff.PDF: 50 << 20, sniff.XML: 20 << 20, sniff.JSON: 8 << 20}

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "DOCUMENT_KINDS",
    "LEDGER_KINDS",
    "CreditNoteFacts",
    "EventFacts",
    "EventKind",
    "Facts",
    "FormatCode",
    "FormatError",
    "GoodsFacts",
    "InvoiceFacts",
    "PartyFacts",
    "PdfFacts",
    "TransportFacts",
    "facts_json",
    "read_facts",
]


def read_facts(kind: str, media_type: str, path: Path) -> Facts:
    """What a document says.

    Args:
        kind: one of DOCUMENT_KINDS.
        media_type: as its sender declared it; the content must agree.
        path: the whole file.

    Returns: InvoiceFacts for an invoice, CreditNoteFacts for a credit note, PdfFacts for a proof of delivery,
        TransportFacts for transport events.

    Raises: FormatError for whatever the content is; OSError when the disk cannot give it.
    """
    with path.open("rb") as stream:
        head = stream.read(sniff.HEAD_BYTES)
        if not head:
            raise FormatError(FormatCode.EMPTY, "the document is empty", "send the file itself")
        media_type = sniff.check_media_type(media_type, head)
        content = head + stream.read(DOCUMENT_BYTES_MAX[media_type] + 1 - len(head))
    if len(content) > DOCUMENT_BYTES_MAX[media_type]:
        raise FormatError(
            FormatCode.TOO_LARGE,
            f"larger than the {DOCUMENT_BYTES_MAX[media_type]} bytes that {media_type} may have",
            "send a smaller file",
        )
    match kind, media_type:
        case "invoice", sniff.XML:
            return read_invoice(content)
        case "invoice", sniff.PDF:
            return read_invoice(invoice_inside(content))
        case "credit_note", sniff.XML:
            return read_credit_note(content)
        case "credit_note", sniff.PDF:
            return read_credit_note(invoice_inside(content))
        case "proof_of_delivery", sniff.PDF:
            return read_pdf(content)
        case "transport_events", sniff.JSON:
            return read_events(content)
        case "transport_events", sniff.XML:
            return read_events_xml(content)
    raise FormatError(
        FormatCode.NOT_SUPPORTED,
        f"{media_type} is not read as {kind}",
        f"invoices and credit notes: UBL or CII XML, Factur-X PDF; proofs of delivery: PDF; events: {READ}",
    )
