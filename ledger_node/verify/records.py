"""Steps 11 and 12: who said what, and how things stood as of the last of these blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any

from ledger_node.verify.case import Case, plain
from ledger_node.verify.format import Record
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, worst
from network.proofs.configuration import fault
from network.proofs.transactions import Place, SignedTransaction

ACTORS = {"document": "submitter", "attestation": "party", "shipment_event": "party"}
"""Which field of a kind of record names who has written it first."""
OF_DOCUMENTS = ("document", "attestation")
UNREADABLE = "a transaction cannot be read"
STATUS_FIELDS = ("status", "verdict", "holder", "type")


def people(case: Case) -> Outcome:
    """Step 11: senders were members of their organisations then, and none is revoked; records name their senders."""
    if not case.is_readable:
        return Outcome(SKIPPED, UNREADABLE)
    outcomes = [_sender(case, each.id, each.block) for each in case.bundle.transactions]
    told, opened = [], {each.id for each in case.bundle.documents}
    for key, record in case.first().items():
        kind = key.partition("/")[0]
        signed = case.transactions.get(record.transaction)
        if kind in ACTORS and isinstance(signed, SignedTransaction):
            said = plain(record).get(ACTORS[kind])
            if said != signed.creator.msp_id:
                outcomes.append(Outcome(INVALID, f"{key} names {said}, and {signed.creator.msp_id} has sent it"))
            also = _also_shown(key, opened)
            told.append(f"{also}{key} by {signed.creator.msp_id} at {signed.timestamp:%Y-%m-%dT%H:%M:%SZ}")
    return worst(outcomes, "; ".join(sorted(told)) or "no record names anybody")


def _also_shown(key: str, opened: Set[str]) -> str:
    """Words before a record of a document that is not opened: no file here is the one that it speaks of."""
    kind, document_id, *_ = (*key.split("/"), "")
    return (
        "also shown, of a document that is not opened: " if kind in OF_DOCUMENTS and document_id not in opened else ""
    )


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
    disorder = _disorder(case)
    if disorder.verdict == INVALID:
        return disorder
    silent = sorted(set(case.transactions) - {each.transaction for each in case.bundle.records})
    if silent:
        return Outcome(INVALID, f"no record is of transaction {silent[0]}")
    opened = {each.id for each in case.bundle.documents}
    words = {key: _words(key, plain(latest[key])) for key in sorted(latest)}
    told = "; ".join(_also_shown(key, opened) + text for key, text in words.items() if text)
    block = max(each.block for each in case.bundle.transactions)
    return worst([disorder], f"as of block {block}, whatever came later: {told}")


def _disorder(case: Case) -> Outcome:
    """Whether each transaction stands where it took effect, after the one that is shown before it.

    Whoever has an envelope can have it ordered once more: it stands in a later block then, without effect, and would be
    shown after what was written meanwhile. What it has read tells; where it has read nothing, clocks alone do not.
    """
    places = {each.id: (each.block, each.index) for each in case.bundle.transactions}
    complete = f"{case.bundle.subject.kind}/{case.bundle.subject.id}"
    before: dict[str, Record] = {}
    outcomes = []
    for record in case.ordered_records():
        is_complete = record.key == complete or record.key.partition("/")[0] in ACTORS
        outcomes.append(_following(case, before.get(record.key), record, places, is_complete=is_complete))
        before[record.key] = record
    return worst(outcomes, "")


def _following(
    case: Case, earlier: Record | None, record: Record, places: Mapping[str, Place], *, is_complete: bool
) -> Outcome:
    """Whether a record follows the one that is shown before it; of a complete key every write is to be shown."""
    signed = case.transactions[record.transaction]
    assert isinstance(signed, SignedTransaction)
    if earlier is None:
        version = signed.reads.get(record.key)
        return _left_out(record, version) if version is not None and is_complete else Outcome(VALID, "")
    former = case.transactions[earlier.transaction]
    assert isinstance(former, SignedTransaction)
    follows = f"{record.key}: transaction {record.transaction}"
    if record.key not in signed.reads:
        if signed.timestamp >= former.timestamp:
            return Outcome(VALID, "")
        text = f"{follows} has an earlier time than {earlier.transaction} and has not read what that wrote"
        return Outcome(ERROR, f"{text}: the order cannot be told")
    version, shown = signed.reads[record.key], places[earlier.transaction]
    if version is None and earlier.value == "":  # what was deleted is written as if it had never been there
        return Outcome(VALID, "")
    if version is None or version < shown:
        return Outcome(INVALID, f"{follows} does not follow {earlier.transaction}, shown before it")
    return _left_out(record, version) if version > shown and is_complete else Outcome(VALID, "")


def _left_out(record: Record, version: Place) -> Outcome:
    text = f"{record.key}: transaction {record.transaction} rests on what was written in block {version[0]}"
    return Outcome(ERROR, f"{text} at place {version[1]}, which was left out: what came before is not told")


def _words(key: str, value: dict[str, Any]) -> str:
    said = [f"{name} {value[name]}" for name in STATUS_FIELDS if isinstance(value.get(name), str) and value[name]]
    return f"{key} {', '.join(said)}" if said else ""
