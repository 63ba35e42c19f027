"""The verifier: documents of others, fetched, hashed again, recomputed and attested.

The expected commitment comes from the own peer's blocks (through the read model), never from the sender. What cannot
be fetched is `unavailable` after a bounded number of tries and goes on being tried; `mismatch` is said only when two
fetches gave the same wrong commitment; `verified` only of bytes that were hashed here. Facts and fingerprints are
recomputed from the file alone. Fetched bytes are deleted as soon as they are hashed and read.
Attestations go through the outbox under ids derived from (document, party, verdict, generation), in one SQL
transaction with the note that they were made, so no crash attests twice.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import structlog
from sqlalchemy import Executable

from chaincode.records import canonical
from ledger_node.attempts import Attempt, Attempts
from ledger_node.exchange import ExchangeError
from ledger_node.hashing import Source, UnreadableError, commitment
from ledger_node.readmodel import ReadModel, Record
from ledger_node.recompute import NOTHING_READ, Recomputed
from ledger_node.submission import IdempotencyConflict, Submission, SubmissionStatus

FETCHES_AT_ONCE = 32
FETCHES_A_SUBMITTER_MAX = 8
"""So that whoever registers many documents and answers slowly, or never, delays only its own."""
POLL_SECONDS = 0.05
LOOK_AGAIN_SECONDS = 0.25
RETRY_SECONDS_MAX = 600.0


class Put(Protocol):
    """`Outbox.put`, as far as it is used here."""

    def __call__(
        self, type: str, body: dict[str, Any], *, command_id: str | None = None, beside: Executable | None = None
    ) -> Submission:
        """Store a command."""
        ...


Fetch = Callable[[str, str, str, BinaryIO, int], bytes]
DigestBatch = Callable[[Sequence[Source]], list[bytes | UnreadableError]]

log = structlog.get_logger(__name__)


Recompute = Callable[[Record, Path], Recomputed]


@dataclass(frozen=True, slots=True)
class VerifierLimits:
    """How often and how soon a document is tried again, and how many bytes are taken at most.

    The bytes are bounded by what this node takes, not by what the submitter announced: a file that has grown since
    then is a mismatch, which only hashing it can show.
    """

    tries_max: int
    retry_seconds: float
    size_bytes_max: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document of another organisation as it came: where its bytes are for now, and its salt."""

    path: Path
    salt: bytes


class Verifier:
    """The verifier of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        msp_id: who attests.
        readmodel: what there is to attest, and what the ledger expects.
        put: where attestations go, `Outbox.put`.
        submission: what became of one, `Outbox.get`.
        attempts: the memory of tries.
        fetch: `Exchange.fetch`.
        digest_batch: of the hashing room.
        recompute: what the document's file says; it raises nothing for what a stranger wrote.
        folder: for the bytes while they are looked at; emptied at the start.
        limits: of tries and bytes.
    """

    def __init__(
        self,
        *,
        msp_id: str,
        readmodel: ReadModel,
        put: Put,
        submission: Callable[[str], Submission | None],
        attempts: Attempts,
        fetch: Fetch,
        digest_batch: DigestBatch,
        recompute: Recompute,
        folder: Path,
        limits: VerifierLimits,
    ) -> None:
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._put = put
        self._submission = submission
        self._attempts = attempts
        self._fetch = fetch
        self._digest_batch = digest_batch
        self._recompute = recompute
        self._folder = folder
        self._limits = limits

    def run(self, stop: threading.Event) -> None:
        """Verify documents as they are registered until `stop` is set."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._folder.iterdir():
            left.unlink(missing_ok=True)
        seen, looked_at = -2, 0.0
        running: dict[futures.Future[Fetched], Record] = {}
        with futures.ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="fetch") as pool:
            while not stop.is_set():
                block_number = self._readmodel.block_number()
                if block_number != seen or time.monotonic() - looked_at > LOOK_AGAIN_SECONDS:
                    seen, looked_at = block_number, time.monotonic()
                    for document in list(self._due(running.values())):
                        running[pool.submit(self._get, document)] = document
                done = futures.wait(running, POLL_SECONDS, futures.FIRST_COMPLETED).done
                if done:
                    self._conclude([(running.pop(each), each) for each in done])
                else:
                    stop.wait(0 if running else POLL_SECONDS)
            pool.shutdown(wait=False, cancel_futures=True)

    def _due(self, running: Iterable[Record]) -> Iterator[Record]:
        """Documents to be fetched now, besides those that are."""
        unattested = self._readmodel.unattested(self._msp_id)
        group_ids = {party["msp_id"]: party["group_id"] for party in self._readmodel.parties()} if unattested else {}
        skipped = self._attempts.resting(time.time()) if unattested else set()
        fetches: Counter[str] = Counter()
        for document in running:
            skipped.add(document["document_id"])
            fetches[document["submitter"]] += 1
        for document in unattested:
            document_id, submitter = document["document_id"], document["submitter"]
            if document_id in skipped or fetches[submitter] >= FETCHES_A_SUBMITTER_MAX:
                continue
            if group_ids.get(submitter) != group_ids.get(self._msp_id) and self._is_due(document_id):
                fetches[submitter] += 1
                yield document

    def _is_due(self, document_id: str) -> bool:
        attempt = self._attempts.get(document_id)
        submission = self._submission(attempt.command_id) if attempt.command_id else None
        if submission is not None and not submission.final:
            return False
        if submission is not None and submission.status is not SubmissionStatus.APPLIED:
            log.warning("an attestation was not taken", document_id=document_id, code=submission.code)
            self._later(attempt, tries=attempt.tries + 1, generation=attempt.generation + 1, command_id="", verdict="")
            return False
        if submission is not None and attempt.verdict != "unavailable":
            return False  # the read model will show it in a moment
        return attempt.not_before <= time.time()

    def _get(self, document: Record) -> Fetched:
        """Fetch one document; runs in the pool."""
        party = self._readmodel.party(document["submitter"])
        if party is None:
            raise ExchangeError(f"there is no party {document['submitter']}")
        handle, name = tempfile.mkstemp(dir=self._folder)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as sink:
                salt = self._fetch(
                    party["peer_url"], document["submitter"], document["document_id"], sink, self._limits.size_bytes_max
                )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Fetched(path, salt)

    def _conclude(self, done: Sequence[tuple[Record, futures.Future[Fetched]]]) -> None:
        """Hash what has come, all at once, and say what is to be said of each."""
        fetched: list[tuple[Record, Fetched]] = []
        for document, future in done:
            try:
                fetched.append((document, future.result()))
            except (ExchangeError, OSError) as error:
                self._not_had(document, str(error))
            except Exception as error:  # one document must not keep the others from being verified
                log.exception("fetching a document broke", document_id=document["document_id"])
                self._not_had(document, repr(error))
        with contextlib.ExitStack() as stack:
            for _, each in fetched:
                stack.callback(each.path.unlink, missing_ok=True)
            digests = self._digest_batch([each.path for _, each in fetched])
            for (document, each), digest in zip(fetched, digests, strict=True):
                if isinstance(digest, UnreadableError):
                    self._not_had(document, digest.text)
                    continue
                try:
                    self._compare(document, each, commitment(each.salt, digest).hex())
                except Exception as error:  # as above: what a stranger wrote must not stop the verifier
                    log.exception("reading a document broke", document_id=document["document_id"])
                    self._not_had(document, repr(error))

    def _compare(self, document: Record, fetched: Fetched, recomputed: str) -> None:
        attempt = self._attempts.get(document["document_id"])
        if recomputed == document["commitment"]:
            said = self._recompute(document, fetched.path)
            self._attest(document, attempt, "verified", recomputed, said)
        elif recomputed == attempt.mismatch_commitment:
            self._attest(document, attempt, "mismatch", recomputed, NOTHING_READ)
        else:
            log.warning("a document does not match, it is fetched again", document_id=document["document_id"])
            self._later(attempt, tries=attempt.tries + 1, mismatch_commitment=recomputed)

    def _not_had(self, document: Record, reason: str) -> None:
        """Count a try that gave no bytes; say so on the ledger once there were enough."""
        attempt = self._attempts.get(document["document_id"])
        log.warning("a document could not be had", document_id=document["document_id"], reason=reason)
        if attempt.tries + 1 >= self._limits.tries_max and attempt.verdict != "unavailable":
            self._attest(document, attempt, "unavailable", "", NOTHING_READ)
        self._later(self._attempts.get(document["document_id"]), tries=attempt.tries + 1)

    def _attest(self, document: Record, attempt: Attempt, verdict: str, recomputed: str, said: Recomputed) -> None:
        document_id = document["document_id"]
        command_id = attestation_id(document_id, self._msp_id, verdict, attempt.generation)
        body = {
            "document_id": document_id,
            "verdict": verdict,
            "commitment": recomputed,
            "fingerprints": said.fingerprints,
            "facts": said.facts,
        }
        noted = attempt.with_values(command_id=command_id, verdict=verdict)
        try:
            self._put("AttestDocument", body, command_id=command_id, beside=self._attempts.upsert(noted))
        except IdempotencyConflict:
            # The same verdict was said before a crash, by a program that read the document in another way.
            log.warning("a document was attested before with other facts", document_id=document_id, verdict=verdict)
            self._later(attempt, generation=attempt.generation + 1)

    def _later(self, attempt: Attempt, **values: Any) -> None:
        """Note a try; the next one is twice as far away."""
        changed = attempt.with_values(**values)
        pause = min(RETRY_SECONDS_MAX, self._limits.retry_seconds * 2 ** min(changed.tries, 20) / 2)
        self._attempts.put(changed.with_values(not_before=time.time() + pause))


def attestation_id(document_id: str, msp_id: str, verdict: str, generation: int) -> str:
    """The command id of an attestation, the same whenever it is made again.

    Args:
        generation: counts how often such an attestation was refused before.
    """
    return hashlib.sha256(canonical(["attest", document_id, msp_id, verdict, generation])).hexdigest()[:32]
