"""Goods billed against goods that came, as the verifiers of buyer and financier matched them: a part of DELIVERY.

A match never pays anything: it only stops what other evidence would pay. Where nobody has found goods counted in a
proof, nothing is asked for; else the buyer's verifier must have matched them, and the financier's where it may read the
proof. What is false already is said before what is missing still.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaincode.records import GoodsMatch
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
        if match.verdict == "unclear":
            lines = f" (line {', '.join(match.lines)})" if match.lines else ""
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


def _counting(snapshot: Snapshot) -> list[str]:
    """The proofs in which anybody has found goods counted: who verifies one at all says so, before it is enough."""
    return [
        proof_id
        for proof_id in snapshot.invoice.proof_ids
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
