"""Rules of the duplicate defence: claims on fingerprints. The first claim is the unique one; financed is for ever.

What has the number *and* the amount of a financed invoice is that invoice, and what says to follow or correct one is no
new debt either, whichever of the two comes first: nobody makes it another one. All else
that fingerprints say is a careful guess, which persons of the buyer may clear: honest deliveries of one day look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Claim, Fingerprint, Invoice, keys
from chaincode.records.books import ClaimState
from chaincode.records.fields import FingerprintKind
from chaincode.rules.invoices import FINGERPRINTS_REQUIRED

CLAIMS_MAX = 50
"""How many invoices may claim one fingerprint: a release check reads them all."""


class Standing(Enum):
    """What the claims on its fingerprints say of an invoice; the two last are final, the ones before them guesses."""

    UNIQUE = "nobody else has claimed a fingerprint before it, or is financed on one"
    FOLLOWS = "it says to follow or correct another invoice"
    ALIKE = "another invoice has claimed a fingerprint before it"
    ALIKE_FINANCED = "an invoice that shares a fingerprint with it has been financed"
    FOLLOWS_FINANCED = "an invoice that it says to follow or correct has been financed"
    FINANCED = "it, an invoice with its number and its amount, or one that corrects it, has been financed"


FINAL = (Standing.FOLLOWS_FINANCED, Standing.FINANCED)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """One thing that an invoice claims: a fingerprint of its own, or the number of one that it says to follow."""

    kind: FingerprintKind
    value: str
    reference: bool = False


def _claims_of(invoice: Invoice) -> list[_Claimed]:
    """Its own fingerprints, then what it refers to; itself is not another one."""
    own = [_Claimed(kind, value) for kind, value in invoice.claimed_fingerprints]
    named = [value for value in invoice.facts.predecessors if value != invoice.fingerprints["number"]]
    return own + [_Claimed("number", value, reference=True) for value in named]


def standing(invoice: Invoice, claimed: Sequence[Fingerprint | None]) -> Standing:
    """How an invoice stands.

    Args:
        claimed: what stands under `claim_keys(invoice)`, in that order.
    """
    claims = _claims_of(invoice)
    taken = [
        (of_mine, claim)
        for of_mine, fingerprint in zip(claims, claimed, strict=True)
        for claim in (fingerprint.claims if fingerprint else ())
        if _is_taken(claim, invoice)
    ]
    if invoice.funded_on or _is_financed(taken):
        return Standing.FINANCED
    if any(of_mine.reference and not claim.reference for of_mine, claim in taken):
        return Standing.FOLLOWS_FINANCED
    if taken:
        return Standing.ALIKE_FINANCED
    own = invoice.split_from or invoice.invoice_id
    firsts = [_first(one) for of_mine, one in zip(claims, claimed, strict=True) if one and not of_mine.reference]
    if any(first != own for first in firsts):
        return Standing.ALIKE
    return Standing.FOLLOWS if invoice.facts.predecessors else Standing.UNIQUE


def _is_financed(taken: Sequence[tuple[_Claimed, Claim]]) -> bool:
    """Whether one invoice is financed on both number and amount, or by reference to this one's number."""
    kinds: dict[str, set[str]] = {}
    for of_mine, claim in taken:
        if claim.reference and not of_mine.reference:
            return True
        if not claim.reference and not of_mine.reference:
            kinds.setdefault(claim.invoice_id, set()).add(of_mine.kind)
    return any(found.issuperset(FINGERPRINTS_REQUIRED) for found in kinds.values())


def _is_taken(claim: Claim, invoice: Invoice) -> bool:
    """Whether somebody is financed by a claim: its invoice, or, but for `invoice` itself, the parts of it."""
    return claim.state == "financed" or (claim.state == "split" and claim.invoice_id != invoice.split_from)


def _first(fingerprint: Fingerprint) -> str:
    return next((claim.invoice_id for claim in fingerprint.claims if claim.state != "cancelled"), "")


def claim_keys(invoice: Invoice) -> list[str]:
    """The keys of the fingerprints that an invoice claims: its own, then those by reference."""
    return [keys.fingerprint(invoice.epoch, one.kind, invoice.supplier, one.value) for one in _claims_of(invoice)]


def claim(existing: list[Fingerprint | None], invoice: Invoice) -> tuple[list[Fingerprint], str]:
    """Claim all fingerprints of an invoice, and the numbers of those that it says to follow.

    Args:
        existing: what stands under `claim_keys(invoice)`, in that order.

    Returns: the fingerprints with the new claims, and the id of the first invoice that claimed one before, or "".
    Raises: Refusal: CLAIMS_EXHAUSTED.
    """
    duplicate_of = ""
    claimed = []
    for one, fingerprint in zip(_claims_of(invoice), existing, strict=True):
        before = fingerprint.claims if fingerprint else ()
        if len(before) >= CLAIMS_MAX:
            text = f"{CLAIMS_MAX} invoices claim this {one.kind} fingerprint already"
            raise Refusal(RefusalCode.CLAIMS_EXHAUSTED, text)
        duplicate_of = duplicate_of or next((other.invoice_id for other in before if other.state != "cancelled"), "")
        claims = (*before, Claim(invoice.invoice_id, invoice.supplier, "registered", one.reference))
        claimed.append(Fingerprint(invoice.epoch, one.kind, claims))
    return claimed, duplicate_of


def finance(claimed: Sequence[Fingerprint], invoice: Invoice) -> list[Fingerprint]:
    """Mark an invoice's claims as financed. A part's claims are those of the whole, and stay as they are.

    Args:
        claimed: what stands under `claim_keys(invoice)`, in that order.

    Raises: Refusal: NOT_RELEASABLE: it is financed already, or looks like another one and nobody has cleared it. The
        release check has seen to it that it is not so.
    """
    found = standing(invoice, claimed)
    if found in FINAL or (found is not Standing.UNIQUE and not invoice.clearance):
        raise Refusal(RefusalCode.NOT_RELEASABLE, found.value)
    return [one if invoice.split_from else mark(one, invoice.invoice_id, "financed") for one in claimed]


def mark(fingerprint: Fingerprint, invoice_id: str, state: ClaimState) -> Fingerprint:
    """Give an invoice's claim another state; what is financed stays financed for ever."""
    claims = tuple(
        replace(claim, state=state) if claim.invoice_id == invoice_id and claim.state != "financed" else claim
        for claim in fingerprint.claims
    )
    return replace(fingerprint, claims=claims)
