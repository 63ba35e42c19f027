"""What is said of a document of another organisation, and when: from its digest, or from a fetch that gave nothing.

The expected commitment comes from the own peer's blocks (through the read model), never from the sender. What cannot
be fetched is `unavailable` after a bounded number of tries and goes on being tried; `mismatch` is said only when two
fetches gave the same wrong commitment, each hashed a second time by the standard library, and is kept as a finding
with its evidence; `verified` only of bytes that were hashed here. Facts and fingerprints are recomputed from the file
alone. Attestations go through the outbox under ids derived from (document, party, verdict, generation), in one SQL
transaction with the note that they were made, so no crash attests twice.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from chaincode.records import canonical
from ledger_node.documents.findings import Evidence, FindingKind, Findings
from ledger_node.hashing import Hashed, UnreadableError, commitment
from ledger_node.hashing.digest import hash_one
from ledger_node.outbox.store import Outbox
from ledger_node.outbox.submission import IdempotencyConflict
from ledger_node.people.names import Names
from ledger_node.readmodel import Record
from ledger_node.verification.attempts import LOOK_AGAIN_SECONDS, Attempt, Attempts
from ledger_node.verification.fetcher import Fetched
from ledger_node.verification.recompute import NOTHING_READ, Recomputed

Recompute = Callable[[Record, Path, str, bool], Recomputed]

log = structlog.get_logger(__name__)


class Verdicts:
    """The verdicts of one node.

    Args:
        msp_id: who attests.
        outbox: where attestations go.
        attempts: the memory of tries.
        findings: where a mismatch is kept with its evidence.
        names: where what it is called is kept.
        recompute: what the document's file says, and whether a slow check is waited for; it raises nothing for what a
            stranger wrote but that its check is slow.
        tries_max: after so many that gave no bytes, a document is said to be unavailable.
        keep: what is verified, for those who read it later.
        said_before: what the ledger has of this node's attestation of a document.
        is_of_own_group: whether a submitter is of this node's group: what it submits is read and kept, never attested.
    """

    def __init__(
        self,
        msp_id: str,
        outbox: Outbox,
        attempts: Attempts,
        findings: Findings,
        names: Names,
        recompute: Recompute,
        tries_max: int,
        keep: Callable[[Fetched], None] = lambda fetched: None,
        said_before: Callable[[str], Record | None] = lambda document_id: None,
        is_of_own_group: Callable[[str], bool] = lambda submitter: False,
    ) -> None:
        self._msp_id = msp_id
        self._outbox = outbox
        self._attempts = attempts
        self._findings = findings
        self._names = names
        self._recompute = recompute
        self._tries_max = tries_max
        self._keep = keep
        self._said_before = said_before
        self._is_of_own_group = is_of_own_group

    def compare(self, fetched: Fetched, hashed: Hashed | UnreadableError, *, patient: bool = True) -> None:
        """Say what follows from a digest.

        Args:
            patient: whether a check by rules that is slow is waited for.

        Raises: UnreadableError; Slow, of rules, to who is not patient, and nothing is said then.
        """
        document = fetched.document
        expected = document["commitment"]
        if isinstance(hashed, UnreadableError) or commitment(fetched.given.salt, hashed.digest).hex() != expected:
            hashed = hash_one(fetched.path)  # before anybody hears of it: once more, by the standard library
        recomputed = commitment(fetched.given.salt, hashed.digest).hex()
        if self._is_of_own_group(document["submitter"]):
            if recomputed == expected:
                self._keep(fetched)
            else:
                log.warning("a document of the own group does not match", document_id=document["document_id"])
            return
        attempt = self._attempts.get(document["document_id"], document["submitter"])
        if recomputed == expected:
            self._keep(fetched)
            read = self._recompute(document, fetched.path, fetched.given.file_name, patient)
            self._attest(attempt, "verified", recomputed, read)
        elif recomputed == attempt.mismatch_commitment:
            self._findings.open(
                Evidence(
                    FindingKind.MISMATCH,
                    document_id=document["document_id"],
                    expected=expected,
                    found=recomputed,
                    size_bytes=hashed.size_bytes,
                    backend=hashed.backend,
                )
            )
            self._attest(attempt, "mismatch", recomputed, NOTHING_READ)
        else:
            log.warning("a document does not match, it is fetched again", document_id=document["document_id"])
            self._attempts.later(attempt, tries=attempt.tries + 1, mismatch_commitment=recomputed)

    def not_had(self, document: Record, reason: str) -> None:
        """Count a try that gave no bytes; say so on the ledger once there were enough."""
        identity = (document["document_id"], document["submitter"])
        log.warning("a document could not be had", document_id=identity[0], reason=reason)
        if self._is_of_own_group(document["submitter"]):
            return  # it is asked for again while the invoice is watched
        attempt = self._attempts.get(*identity)
        if attempt.tries + 1 >= self._tries_max and attempt.verdict != "unavailable":
            self._attest(attempt, "unavailable", "", NOTHING_READ)
        self._attempts.later(self._attempts.get(*identity), tries=attempt.tries + 1)

    def _attest(self, attempt: Attempt, verdict: str, recomputed: str, read: Recomputed) -> None:
        document_id = attempt.document_id
        before = self._said_before(document_id)
        replaces = before["block_number"] if before is not None and before["verdict"] == verdict == "verified" else None
        command_id = attestation_id(document_id, self._msp_id, verdict, attempt.generation, replaces)
        body = {
            "document_id": document_id,
            "verdict": verdict,
            "commitment": recomputed,
            "fingerprints": read.fingerprints,
            "facts": read.facts,
            "rules": read.rules,
            "match": read.match,
        }
        if replaces is not None and before is not None and all(before.get(name) == body[name] for name in body):
            self._attempts.forget(document_id)  # it was read again, and says what it said
            return
        noted = attempt.with_values(command_id=command_id, verdict=verdict, not_before=time.time() + LOOK_AGAIN_SECONDS)
        try:
            beside = (
                self._attempts.upsert(noted),
                *self._names.insertion(read.names),
                *self._names.insertion(read.shipment_names, keep=True),
            )
            self._outbox.put("AttestDocument", body, command_id=command_id, beside=beside)
        except IdempotencyConflict:
            # The same verdict was said before a crash, by a program that read the document in another way.
            log.warning("a document was attested before with other facts", document_id=document_id, verdict=verdict)
            self._attempts.later(attempt, generation=attempt.generation + 1)
            return
        if self._attempts.get(document_id, attempt.submitter).command_id != command_id:
            self._attempts.put(noted)  # it was queued before, by somebody who has forgotten that


def attestation_id(document_id: str, msp_id: str, verdict: str, generation: int, replaces: int | None = None) -> str:
    """The command id of an attestation, the same whenever it is made again.

    Args:
        generation: counts how often such an attestation was refused before.
        replaces: the block of the attestation of that verdict in whose place it comes; None for the first one.
    """
    named = ["attest", document_id, msp_id, verdict, generation, *([] if replaces is None else [replaces])]
    return hashlib.sha256(canonical(named)).hexdigest()[:32]
