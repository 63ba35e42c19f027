"""Rules of documents: who registers them, who may attest them, and what an attestation must say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Attestation, Document, GoodsMatch, Invoice, Party, bodies
from chaincode.rules.parties import require_new, require_party


def register(
    existing: Document | None,
    entitled: list[Party | None],
    sender: str,
    body: bodies.RegisterDocument,
    day: str,
) -> Document:
    """Register a document.

    Args:
        existing: what stands under the id.
        entitled: the parties that the body entitles, in its order.

    Raises: Refusal: ID_TAKEN, ALGORITHM_UNKNOWN, PARTY_UNKNOWN.
    """
    require_new(existing, body.document_id)
    if body.algorithm != "SHA-256":
        raise Refusal(RefusalCode.ALGORITHM_UNKNOWN, f"{body.algorithm}: only SHA-256 is known")
    for msp_id, party in zip(body.entitled, entitled, strict=True):
        require_party(party, msp_id)
    return Document(
        document_id=body.document_id,
        submitter=sender,
        kind=body.kind,
        media_type=body.media_type,
        size_bytes=body.size_bytes,
        algorithm="SHA-256",
        commitment=body.commitment,
        entitled=tuple(sorted(body.entitled)),
        day=day,
        status="current",
        superseded_by="",
        invoice_ids=(),
    )


def revoke(
    document: Document,
    successor: Document | None,
    invoices: Sequence[Invoice],
    sender: str,
    body: bodies.RevokeDocument,
) -> Document:
    """Take a document back, or let another one take its place. No invoice is paid early on it any more.

    Args:
        successor: what stands under `superseded_by`, None also when that is empty.
        invoices: all that rest on the document.

    Raises: Refusal: DOCUMENT_NOT_YOURS, ALREADY_REVOKED, REVOCATION_INCONSISTENT, DOCUMENT_FINANCED.
    """
    if document.submitter != sender:
        raise Refusal(RefusalCode.DOCUMENT_NOT_YOURS, f"only {document.submitter} can revoke this document")
    if document.status != "current":
        raise Refusal(RefusalCode.ALREADY_REVOKED, f"the document is {document.status}")
    if not _is_consistent(document, successor, body):
        text = "only a superseded document names another one: a current one of the sender's, of the same kind"
        raise Refusal(RefusalCode.REVOCATION_INCONSISTENT, text)
    if any(is_financed(invoice) for invoice in invoices):
        raise Refusal(RefusalCode.DOCUMENT_FINANCED, "an invoice that rests on the document has been paid early")
    return replace(document, status=body.reason, superseded_by=body.superseded_by)


def _is_consistent(document: Document, successor: Document | None, body: bodies.RevokeDocument) -> bool:
    if body.reason == "withdrawn":
        return not body.superseded_by
    return (
        successor is not None
        and successor.document_id != document.document_id
        and (successor.submitter, successor.kind, successor.status) == (document.submitter, document.kind, "current")
    )


def is_financed(invoice: Invoice) -> bool:
    """Whether money has been paid early for the invoice, ever, or is set aside for it: its evidence stands."""
    return bool(invoice.funded_on or invoice.reservation)


def require_document(document: Document | None, document_id: str) -> Document:
    """Raises: Refusal: DOCUMENT_UNKNOWN."""
    if document is None:
        raise Refusal(RefusalCode.DOCUMENT_UNKNOWN, f"there is no document {document_id}")
    return document


def attest(
    document: Document, submitter: Party | None, party: Party, body: bodies.AttestDocument, day: str
) -> Attestation:
    """Attest a document as `party`, which replaces what it attested before.

    Raises: Refusal: NOT_ENTITLED, NOT_INDEPENDENT, VERDICT_INCONSISTENT, COMMITMENT_DIFFERS, COMMITMENT_SAME.
    """
    if party.msp_id not in document.entitled:
        raise Refusal(RefusalCode.NOT_ENTITLED, f"{party.msp_id} is not entitled to this document")
    if not is_independent(party, submitter):
        raise Refusal(RefusalCode.NOT_INDEPENDENT, f"{party.msp_id} is the submitter or of its group")
    _require_consistent(document, body)
    return Attestation(
        document_id=body.document_id,
        party=party.msp_id,
        verdict=body.verdict,
        commitment=body.commitment,
        fingerprints=body.fingerprints,
        facts=body.facts,
        day=day,
        rules=body.rules,
        match=body.match,
    )


def is_independent(party: Party, submitter: Party | None) -> bool:
    """Whether the party is neither the submitter nor of its corporate group."""
    return submitter is not None and party.group_id != submitter.group_id


def _require_consistent(document: Document, body: bodies.AttestDocument) -> None:
    """The commitment must bear the verdict out, and facts come only of bytes that were read."""
    if body.verdict == "unavailable":
        if body.commitment or body.fingerprints or body.facts or body.rules or body.match:
            raise Refusal(RefusalCode.VERDICT_INCONSISTENT, "nothing can be recomputed from an unavailable document")
    elif not body.commitment:
        raise Refusal(RefusalCode.VERDICT_INCONSISTENT, f"the verdict {body.verdict} must carry the commitment")
    elif body.verdict == "verified" and body.commitment != document.commitment:
        raise Refusal(RefusalCode.COMMITMENT_DIFFERS, "the document has another commitment: attest a mismatch")
    elif body.verdict == "mismatch" and body.commitment == document.commitment:
        raise Refusal(RefusalCode.COMMITMENT_SAME, "the commitment is the document's: that is no mismatch")
    if body.match:
        _require_match_of(document, body.match)


def _require_match_of(document: Document, match: GoodsMatch) -> None:
    """Proofs count goods and invoices are matched with them; something lacks exactly where goods came in part."""
    kind = "transport_events" if match.verdict == "counts" else "invoice"
    if document.kind != kind:
        raise Refusal(RefusalCode.VERDICT_INCONSISTENT, f"of goods, {match.verdict} is said only of {kind}")
    if (match.verdict == "part") is not (match.short_bps > 0):
        raise Refusal(RefusalCode.VERDICT_INCONSISTENT, "short_bps is above 0 exactly where goods came in part")
