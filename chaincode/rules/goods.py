"""Goods billed against goods that came, as the verifiers of buyer and financier matched them: a part of DELIVERY.

A match never pays anything: it only stops what other evidence would pay. Where nobody has found goods counted in a
proof, no match is asked for; else the buyer's verifier must have matched them, and the financier's where it may read
the proof. Whether goods are counted nobody says for these two: each has to have read, itself, the transport events that
it may read. What is false already is said before what is missing still.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaincode.records import GoodsMatch
from chaincode.rules.documents import is_independent
from chaincode.rules.snapshot import Candidate, Snapshot
from chaincode.rules.verdicts import HOLDS, Finding, Reason, indeterminate, invalid, worst


def matched(snapshot: Snapshot, candidate: Candidate | None) -> Finding:
    """Nothing that was billed has not come, by what the verifiers could count, within the facility's tolerances."""
    found = [_matched_by(snapshot, candidate, who) for who in snapshot.verifiers(candidate) if who]
    return worst(found)


def _matched_by(snapshot: Snapshot, candidate: Candidate | None, who: str) -> Finding:
    """What one verifier's match says. Goods that came in part are said even of proofs that are not all matched yet."""
    matches = list(_matches(snapshot, who))
    short = [match for match in matches if match.verdict == "part" and match.short_bps > _short_max(candidate)]
    if short and not _is_answered_for(snapshot):
        lines, percent = ", ".join(short[0].lines), f"{short[0].short_bps // 100}.{short[0].short_bps % 100:02d}"
        text = f"{who} counted that less came than is billed (line {lines}), up to {percent} % of a line"
        return invalid(Reason.PARTIAL_DELIVERY, text, snapshot.invoice.supplier)
    for proof_id in _events(snapshot):
        if _may_read(snapshot, who, proof_id) and not snapshot.verified_by(who, (proof_id,)):
            text = f"{who} has not read proof {proof_id}, which may count goods"
            return indeterminate(Reason.MATCH_MISSING, text, who)
    known = {proof_id for match in matches for proof_id in match.proof_ids}
    for proof_id in _counting(snapshot):
        proof = snapshot.documents[proof_id]
        if proof_id not in known and (who in proof.entitled or who == snapshot.invoice.buyer):
            text = f"{who} has not matched the invoice with the goods that proof {proof_id} counts"
            return indeterminate(Reason.MATCH_MISSING, text, who if who in proof.entitled else proof.submitter)
    return HOLDS if candidate and candidate.decided else _left_to_a_person(candidate, who, matches, bool(short))


def _left_to_a_person(candidate: Candidate | None, who: str, matches: list[GoodsMatch], answered_for: bool) -> Finding:
    """What no machine can tell of goods is paid by a decision of the financier, and never without one."""
    off_max = candidate.facility.off_days_max if candidate else 0
    decides = candidate.facility.financier if candidate else "financier"
    if answered_for:
        text = "less came than is billed, and a credit note or a split has answered for it: a person compares"
        return indeterminate(Reason.MATCH_UNCLEAR, text, decides)
    for match in matches:
        if match.verdict == "unclear" or match.unclear:
            lines = f" (line {', '.join(match.lines)})" if match.lines and match.verdict == "unclear" else ""
            text = f"{who} could not tell whether what came is what is billed{lines}: a person compares"
            return indeterminate(Reason.MATCH_UNCLEAR, text, decides)
        if match.off_days > off_max:
            text = f"{who} found a delivery {match.off_days} days off the day that is billed: a person compares"
            return indeterminate(Reason.MATCH_UNCLEAR, text, decides)
    return HOLDS


def _matches(snapshot: Snapshot, who: str) -> Iterator[GoodsMatch]:
    for statement in snapshot.verified_by(who, snapshot.invoice.document_ids):
        if statement.match:
            yield statement.match


def _events(snapshot: Snapshot) -> list[str]:
    """The proofs that tell of transports; no other kind counts goods, whatever is said of it."""
    ids = snapshot.invoice.proof_ids
    return [proof_id for proof_id in ids if snapshot.documents[proof_id].kind == "transport_events"]


def _may_read(snapshot: Snapshot, who: str, proof_id: str) -> bool:
    """Whether a verifier is to read a proof: what it or its own group submitted it cannot attest."""
    proof = snapshot.documents[proof_id]
    party = snapshot.parties.get(who)
    return who in proof.entitled and party is not None and is_independent(party, snapshot.parties.get(proof.submitter))


def _counting(snapshot: Snapshot) -> list[str]:
    """The proofs in which anybody has found goods counted: who verifies one at all says so, before it is enough."""
    return [
        proof_id
        for proof_id in _events(snapshot)
        if any(
            one.verdict == "verified" and one.match and one.match.verdict == "counts"
            for one in snapshot.independent_attestations(proof_id)
        )
    ]


def _short_max(candidate: Candidate | None) -> int:
    return candidate.facility.short_bps_max if candidate else 0


def _is_answered_for(snapshot: Snapshot) -> bool:
    """A credit note for a shipment, or a split since: the document bills what it billed, the invoice does not."""
    return bool(snapshot.invoice.cured_shipments) or snapshot.invoice.split_from != ""
