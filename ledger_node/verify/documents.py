"""Steps 5 and 6: the files are the documents, and the documents are what the ledger holds commitments to."""

from __future__ import annotations

import hashlib

from ledger_node.verify.case import Case, plain
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, worst


def files(case: Case) -> Outcome:
    """Step 5: each file that was given is a document of the bundle, and each document was given."""
    documents = {each.digest: each.id for each in case.bundle.documents}
    outcomes = []
    for given in case.files:
        if given.fault:
            outcomes.append(Outcome(ERROR, f"{given.name}: {given.fault}"))
        elif given.digest not in documents:
            outcomes.append(Outcome(INVALID, f"{given.name} is no document of this bundle, or was changed"))
    missing = sorted(set(documents) - {given.digest for given in case.files})
    if not case.files:
        outcomes.append(Outcome(SKIPPED, "no file was given"))
    elif missing:
        text = f"{len(missing)} of {len(documents)} documents were not given, the first is {documents[missing[0]]}"
        outcomes.append(Outcome(SKIPPED, text))
    return worst(outcomes, f"SHA-256 of {len(documents)} as the bundle says")


def commitments(case: Case) -> Outcome:
    """Step 6: digest and salt give the commitment that the ledger holds."""
    if not case.bundle.documents:
        return Outcome(SKIPPED, "the bundle opens no document")
    latest = case.latest()
    for each in case.bundle.documents:
        opened = hashlib.sha256(b"\0" + bytes.fromhex(each.salt) + bytes.fromhex(each.digest)).hexdigest()
        if opened != each.commitment:
            return Outcome(INVALID, f"digest and salt of document {each.id} do not give its commitment")
        if plain(latest.get(f"document/{each.id}")).get("commitment") != each.commitment:
            return Outcome(INVALID, f"the ledger holds another commitment of document {each.id}")
    if text := _strangers(case):
        return Outcome(INVALID, text)
    return Outcome(VALID, f"{len(case.bundle.documents)} opened")


def _strangers(case: Case) -> str:
    """Why the documents that are opened are not the subject's own; empty when they are."""
    subject, opened = case.bundle.subject, [each.id for each in case.bundle.documents]
    if subject.kind == "document":
        return "" if opened == [subject.id] else "the document that the bundle is about is not the one that is opened"
    invoice = plain(case.latest().get(f"invoice/{subject.id}"))
    named = [invoice.get(each) for each in ("document_ids", "proof_ids")]
    own = [each for ids in named if isinstance(ids, list) for each in ids]
    strange = next((each for each in opened if each not in own), None)
    return "" if strange is None else f"document {strange} is opened, and is none of invoice {subject.id}"
