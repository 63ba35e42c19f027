"""Steps 11 and 12: who said what, and how things stood as of the last of these blocks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ledger_node.verify.case import Case, plain
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, worst
from network.proofs.configuration import fault
from network.proofs.transactions import SignedTransaction

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
        written.update(_written(case, transaction_id, signed, set(latest)))
    said = Counter((each.key, each.transaction, each.value) for each in case.bundle.records)
    if said != written:
        key, transaction_id, _ = next(iter((said - written) or (written - said)))
        return Outcome(INVALID, f"{key}: the record is not what transaction {transaction_id} has written")
    silent = sorted(set(case.transactions) - {each.transaction for each in case.bundle.records})
    if silent:
        return Outcome(INVALID, f"no record is of transaction {silent[0]}")
    told = "; ".join(text for key in sorted(latest) if (text := _words(key, plain(latest[key]))))
    block = max(each.block for each in case.bundle.transactions)
    return Outcome(VALID, f"as of block {block}, whatever came later: {told}")


def _written(case: Case, transaction_id: str, signed: SignedTransaction, keys: set[str]) -> list[tuple[str, str, str]]:
    own = (each for each in signed.writes if each.namespace == case.bundle.chaincode and each.key in keys)
    return [(each.key, transaction_id, (each.value or b"").decode(errors="replace")) for each in own]


def _words(key: str, value: dict[str, Any]) -> str:
    said = [f"{name} {value[name]}" for name in STATUS_FIELDS if isinstance(value.get(name), str) and value[name]]
    return f"{key} {', '.join(said)}" if said else ""
