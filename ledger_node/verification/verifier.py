"""The verifier: documents of others, fetched, hashed again, recomputed and attested.

The expected commitment comes from the own peer's blocks (through the read model), never from the sender. What cannot
be fetched is `unavailable` after a bounded number of tries and goes on being tried; `mismatch` is said only when two
fetches gave the same wrong commitment, each hashed a second time by the standard library, and is kept as a finding
with its evidence; `verified` only of bytes that were hashed here. Facts and fingerprints are recomputed from the file
alone. What comes is hashed in batches, the oldest first. Fetched bytes are deleted as soon as they are hashed and read.
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
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import structlog
from sqlalchemy import Executable

from chaincode.records import canonical
from ledger_node.documents.findings import Evidence, FindingKind, Findings
from ledger_node.hashing import Hashed, Source, UnreadableError, commitment
from ledger_node.hashing.digest import hash_one
from ledger_node.outbox.submission import IdempotencyConflict, Submission, SubmissionStatus
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.attempts import Attempt, Attempts
from ledger_node.verification.exchange import ExchangeError
from ledger_node.verification.recompute import NOTHING_READ, Recomputed

FETCHES_AT_ONCE = 32
FETCHES_A_SUBMITTER_MAX = 8
"""So that whoever registers many documents and answers slowly, or never, delays only its own."""
POLL_SECONDS = 0.05
LOOK_AGAIN_SECONDS = 0.25
GATHER_SECONDS = 0.1
"""How long a document that has come waits for others to be hashed with, while others are on their way."""
RETRY_SECONDS_MAX = 600.0


class Put(Protocol):
    """`Outbox.put`, as far as it is used here."""

    def __call__(
        self, type: str, body: dict[str, Any], *, command_id: str | None = None, beside: Executable | None = None
    ) -> Submission:
        """Store a command."""
        ...


Fetch = Callable[[str, str, str, BinaryIO, int], bytes]
HashBatch = Callable[[Sequence[Source]], list[Hashed | UnreadableError]]

log = structlog.get_logger(__name__)


Recompute = Callable[[Record, Path], Recomputed]


@dataclass(frozen=True, slots=True)
class VerifierLimits:
    """How often and how soon a document is tried again, how many bytes are taken at most, how much is hashed at once.

    The bytes are bounded by what this node takes, not by what the submitter announced: a file that has grown since
    then is a mismatch, which only hashing it can show.
    """

    tries_max: int
    retry_seconds: float
    size_bytes_max: int
    batch_documents_max: int
    batch_bytes_max: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document of another organisation as it came: its record, where its bytes are for now and how many, its salt."""

    document: Record
    path: Path
    size_bytes: int
    salt: bytes


class Verifier:
    """The verifier of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        msp_id: who attests.
        readmodel: what there is to attest, and what the ledger expects.
        put: where attestations go, `Outbox.put`.
        submission: what became of one, `Outbox.get`.
        attempts: the memory of tries.
        findings: where a mismatch is kept with its evidence.
        fetch: `Exchange.fetch`.
        hash_batch: of the hashing room.
        recompute: what the document's file says; it raises nothing for what a stranger wrote.
        folder: for the bytes while they are looked at; emptied at the start.
        limits: of tries, bytes and batches.
        documents: set by whoever has put new documents into the read model; they are looked for now and then besides.
    """

    def __init__(
        self,
        *,
        msp_id: str,
        readmodel: ReadModel,
        put: Put,
        submission: Callable[[str], Submission | None],
        attempts: Attempts,
        findings: Findings,
        fetch: Fetch,
        hash_batch: HashBatch,
        recompute: Recompute,
        folder: Path,
        limits: VerifierLimits,
        documents: threading.Event,
    ) -> None:
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._put = put
        self._submission = submission
        self._attempts = attempts
        self._findings = findings
        self._fetch = fetch
        self._hash_batch = hash_batch
        self._recompute = recompute
        self._folder = folder
        self._limits = limits
        self._documents = documents
        self._taken: dict[str, tuple[int, str]] = {}  # by submitter: the last fresh document that was begun with

    def run(self, stop: threading.Event) -> None:
        """Verify documents as they are registered until `stop` is set."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._folder.iterdir():
            left.unlink(missing_ok=True)
        self._taken.clear()
        looked_at, arrived_at = 0.0, 0.0
        running: dict[futures.Future[Fetched], Record] = {}
        arrived: list[Fetched] = []
        with futures.ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="fetch") as pool:
            while not stop.is_set():
                if self._documents.is_set() or time.monotonic() - looked_at > LOOK_AGAIN_SECONDS:
                    self._documents.clear()
                    looked_at = time.monotonic()
                    for document in list(self._due(running.values(), arrived)):
                        running[pool.submit(self._get, document)] = document
                done = futures.wait(running, POLL_SECONDS, futures.FIRST_COMPLETED).done
                if done:
                    arrived_at = arrived_at if arrived else time.monotonic()
                    arrived += self._received([(running.pop(each), each) for each in done])
                    looked_at = 0.0  # there is room for another one
                if arrived and (
                    not running or self._is_full(arrived) or time.monotonic() - arrived_at > GATHER_SECONDS
                ):
                    self._conclude(arrived)
                    arrived = []
                elif not done:
                    self._documents.wait(0 if running else POLL_SECONDS)
            pool.shutdown(wait=False, cancel_futures=True)

    def _is_full(self, arrived: Sequence[Fetched]) -> bool:
        size_bytes = sum(each.size_bytes for each in arrived)
        return len(arrived) >= self._limits.batch_documents_max or size_bytes >= self._limits.batch_bytes_max

    # What is to be fetched

    def _due(self, running: Iterable[Record], arrived: Sequence[Fetched]) -> Iterator[Record]:
        """Documents to be fetched now, besides those that are; of each submitter a few, the oldest first."""
        in_hand = {document["document_id"] for document in (*running, *(each.document for each in arrived))}
        fetches = Counter(document["submitter"] for document in running)
        parties = self._readmodel.parties()
        own_group = next((party["group_id"] for party in parties if party["msp_id"] == self._msp_id), "")
        for party in parties:
            room = FETCHES_A_SUBMITTER_MAX - fetches[party["msp_id"]]
            if room > 0 and party["group_id"] != own_group:
                again = list(islice(self._again(party["msp_id"], in_hand), (room + 1) // 2))
                yield from again
                yield from self._fresh(party["msp_id"], room - len(again))

    def _again(self, submitter: str, in_hand: set[str]) -> Iterator[Record]:
        """Documents that were tried before and are due."""
        for attempt in self._attempts.due(submitter, time.time(), FETCHES_A_SUBMITTER_MAX + len(in_hand)):
            if attempt.document_id not in in_hand and not self._is_settled(attempt):
                document = self._readmodel.document(attempt.document_id)
                if document is None:
                    self._attempts.forget(attempt.document_id)
                else:
                    yield document

    def _fresh(self, submitter: str, room: int) -> Iterator[Record]:
        """Documents that were never tried. One that was passed by has a record of its tries and comes by `_again`."""
        while room > 0:
            after = self._taken.get(submitter, (-1, ""))
            page = self._readmodel.unattested(self._msp_id, submitter, after=after)
            tried = self._attempts.known([document["document_id"] for document in page])
            for document in page:
                if room == 0:
                    return
                self._taken[submitter] = (document["block_number"], document["document_id"])
                if document["document_id"] not in tried:
                    room -= 1
                    yield document
            if not page:
                return

    def _is_settled(self, attempt: Attempt) -> bool:
        """Whether there is nothing to fetch for now, since an attestation is on its way, or has arrived."""
        submission = self._submission(attempt.command_id) if attempt.command_id else None
        if submission is None:
            return False
        if not submission.final:
            self._attempts.put(attempt.with_values(not_before=time.time() + LOOK_AGAIN_SECONDS))
            return True
        if submission.status is not SubmissionStatus.APPLIED:
            log.warning("an attestation was not taken", document_id=attempt.document_id, code=submission.code)
            self._later(attempt, tries=attempt.tries + 1, generation=attempt.generation + 1, command_id="", verdict="")
            return True
        if attempt.verdict != "unavailable":
            self._attempts.forget(attempt.document_id)
            return True
        return False

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
        return Fetched(document, path, path.stat().st_size, salt)

    # What has come

    def _received(self, done: Sequence[tuple[Record, futures.Future[Fetched]]]) -> Iterator[Fetched]:
        """What could be had; a try is counted of what could not."""
        for document, future in done:
            try:
                yield future.result()
            except (ExchangeError, OSError) as error:
                self._not_had(document, str(error))
            except Exception as error:  # one document must not keep the others from being verified
                log.exception("fetching a document broke", document_id=document["document_id"])
                self._not_had(document, repr(error))

    def _conclude(self, arrived: Sequence[Fetched]) -> None:
        """Hash what has come, all at once and the oldest first, and say what is to be said of each."""
        ordered = sorted(arrived, key=lambda each: (each.document["block_number"], each.document["document_id"]))
        with contextlib.ExitStack() as stack:
            for each in ordered:
                stack.callback(each.path.unlink, missing_ok=True)
            for each, hashed in zip(ordered, self._hash_batch([each.path for each in ordered]), strict=True):
                try:
                    self._compare(each, hashed)
                except UnreadableError as error:
                    self._not_had(each.document, error.text)
                except Exception as error:  # as above: what a stranger wrote must not stop the verifier
                    log.exception("reading a document broke", document_id=each.document["document_id"])
                    self._not_had(each.document, repr(error))

    def _compare(self, fetched: Fetched, hashed: Hashed | UnreadableError) -> None:
        """Say what follows from a digest.

        Raises: UnreadableError.
        """
        document = fetched.document
        expected = document["commitment"]
        if isinstance(hashed, UnreadableError) or commitment(fetched.salt, hashed.digest).hex() != expected:
            hashed = hash_one(fetched.path)  # before anybody hears of it: once more, by the standard library
        recomputed = commitment(fetched.salt, hashed.digest).hex()
        attempt = self._attempts.get(document["document_id"], document["submitter"])
        if recomputed == expected:
            said = self._recompute(document, fetched.path)
            self._attest(document, attempt, "verified", recomputed, said)
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
            self._attest(document, attempt, "mismatch", recomputed, NOTHING_READ)
        else:
            log.warning("a document does not match, it is fetched again", document_id=document["document_id"])
            self._later(attempt, tries=attempt.tries + 1, mismatch_commitment=recomputed)

    def _not_had(self, document: Record, reason: str) -> None:
        """Count a try that gave no bytes; say so on the ledger once there were enough."""
        identity = (document["document_id"], document["submitter"])
        attempt = self._attempts.get(*identity)
        log.warning("a document could not be had", document_id=identity[0], reason=reason)
        if attempt.tries + 1 >= self._limits.tries_max and attempt.verdict != "unavailable":
            self._attest(document, attempt, "unavailable", "", NOTHING_READ)
        self._later(self._attempts.get(*identity), tries=attempt.tries + 1)

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
        noted = attempt.with_values(command_id=command_id, verdict=verdict, not_before=time.time() + LOOK_AGAIN_SECONDS)
        try:
            self._put("AttestDocument", body, command_id=command_id, beside=self._attempts.upsert(noted))
        except IdempotencyConflict:
            # The same verdict was said before a crash, by a program that read the document in another way.
            log.warning("a document was attested before with other facts", document_id=document_id, verdict=verdict)
            self._later(attempt, generation=attempt.generation + 1)
            return
        if self._attempts.get(document_id, attempt.submitter).command_id != command_id:
            self._attempts.put(noted)  # it was queued before, by somebody who has forgotten that

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
