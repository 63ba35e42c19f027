"""Steps 11 and 12: who said what, and how things stood as of the last of these blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ledger_node.verify.case import Case, plain
from ledger_node.verify.format import Record
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, worst
from network.proofs.configuration import fault
from network.proofs.transactions import Place, SignedTransaction

ACTORS = {"document": "submitter", "attestation": "party", "shipment_event": "party"}
"""Which field of a kind of record names who has written it first."""
UNREADABLE = "a transaction cannot be read"
STATUS_FIELDS = ("status", "verdict", "holder", "type")


def people(case: Case) -> Outcome:
    """Step 11: senders were members of their organisations then, and none is revoked; records name their senders."""
    if not case.is_readable:
        return Outcome(SKIPPED, UNREADABLE)
    outcomes = [_sender(case, each.id, each.block) for each in case.bundle.transactions]
    told = []
    for key, record in case.first().items():
        kind = key.partition("/")[0]
        signed = case.transactions.get(record.transaction)
        if kind in ACTORS and isinstance(signed, SignedTransaction):
            said = plain(record).get(ACTORS[kind])
            if said != signed.creator.msp_id:
                outcomes.append(Outcome(INVALID, f"{key} names {said}, and {signed.creator.msp_id} has sent it"))
            told.append(f"{key} by {signed.creator.msp_id} at {signed.timestamp:%Y-%m-%dT%H:%M:%SZ}")
    return worst(outcomes, "; ".join(sorted(told)) or "no record names anybody")


def _sender(case: Case, transaction_id: str, block: int) -> Outcome:
    signed, configuration = case.transactions[transaction_id], case.believed.in_force(block)
    if configuration is None or isinstance(signed, str):
        return Outcome(ERROR, f"the trust file knows no configuration before block {block}")
    text = fault(signed.creator, case.believed.with_revocations(configuration), signed.timestamp)
    return Outcome(INVALID, f"transaction {transaction_id}: {text}") if text else Outcome(VALID, "")


def status(case: Case) -> Outcome:
    """Step 12: the records are what the transactions have written, all of it of their keys."""
    if not case.is_readable:
        return Outcome(SKIPPED, UNREADABLE)
    subject = case.bundle.subject
    latest = case.latest()
    if f"{subject.kind}/{subject.id}" not in latest:
        return Outcome(INVALID, f"the record of {subject.kind} {subject.id} is not there")
    written: Counter[tuple[str, str, str]] = Counter()
    for transaction_id, signed in case.transactions.items():
        assert isinstance(signed, SignedTransaction)
        own = ((key, value) for key, value in signed.writes.items() if key in latest)
        written.update((key, transaction_id, value.decode(errors="replace")) for key, value in own)
    said = Counter((each.key, each.transaction, each.value) for each in case.bundle.records)
    if said != written:
        key, transaction_id, _ = next(iter((said - written) or (written - said)))
        return Outcome(INVALID, f"{key}: the record is not what transaction {transaction_id} has written")
    if text := _disorder(case):
        return Outcome(INVALID, text)
    silent = sorted(set(case.transactions) - {each.transaction for each in case.bundle.records})
    if silent:
        return Outcome(INVALID, f"no record is of transaction {silent[0]}")
    told = "; ".join(text for key in sorted(latest) if (text := _words(key, plain(latest[key]))))
    block = max(each.block for each in case.bundle.transactions)
    return Outcome(VALID, f"as of block {block}, whatever came later: {told}")


def _disorder(case: Case) -> str:
    """Which transaction does not stand where it took effect; empty when none is found.

    Whoever has an envelope can have it ordered once more: it stands in a later block then, without effect, and would be
    shown after what was written meanwhile. It rests on values from before that, or is older by its sender's clock.
    """
    places = {each.id: (each.block, each.index) for each in case.bundle.transactions}
    before: dict[str, Record] = {}
    for record in case.ordered_records():
        earlier = before.get(record.key)
        if earlier is not None and _is_displaced(case, earlier, record, places):
            return (
                f"{record.key}: transaction {record.transaction} does not follow {earlier.transaction}, shown before it"
            )
        before[record.key] = record
    return ""


def _is_displaced(case: Case, earlier: Record, record: Record, places: Mapping[str, Place]) -> bool:
    former, signed = case.transactions[earlier.transaction], case.transactions[record.transaction]
    assert isinstance(former, SignedTransaction) and isinstance(signed, SignedTransaction)
    if record.key not in signed.reads:
        return signed.timestamp < former.timestamp
    rests_on = signed.reads[record.key]
    if rests_on is None:
        return earlier.value != ""  # what was deleted is written as if it had never been there
    return not places[earlier.transaction] <= rests_on < places[record.transaction]


def _words(key: str, value: dict[str, Any]) -> str:
    said = [f"{name} {value[name]}" for name in STATUS_FIELDS if isinstance(value.get(name), str) and value[name]]
    return f"{key} {', '.join(said)}" if said else ""
