"""Which documents of others are to be fetched now: of each submitter a few, so that none delays another's.

Half of a submitter's room is for documents that were tried before and are due again, the oldest first; the rest for
those that were never tried. It reads; what it writes is only that nothing is left to be done with a document.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice

import structlog

from ledger_node.outbox.submission import Submission, SubmissionStatus
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.attempts import LOOK_AGAIN_SECONDS, Attempt, Attempts
from ledger_node.verification.revisits import Revisits

FETCHES_A_SUBMITTER_MAX = 8
"""So that whoever registers many documents and answers slowly, or never, delays only its own."""

log = structlog.get_logger(__name__)


class DueDocuments:
    """The documents that one node is to fetch.

    Args:
        msp_id: who attests.
        readmodel: what there is to attest.
        submission: what became of an attestation, `Outbox.get`.
        attempts: the memory of tries.
        revisits: what is to be read again though it is attested; None for nothing.
    """

    def __init__(
        self,
        msp_id: str,
        readmodel: ReadModel,
        submission: Callable[[str], Submission | None],
        attempts: Attempts,
        revisits: Revisits | None = None,
    ) -> None:
        self._revisits = revisits
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._submission = submission
        self._attempts = attempts
        self._begun_with: dict[str, tuple[int, str]] = {}  # by submitter: the last one that was never tried before

    def begin_anew(self) -> None:
        """Look at all documents again, the oldest first."""
        self._begun_with.clear()
        if self._revisits is not None:
            self._revisits.begin_anew()

    def due_at(self) -> float:
        """When one that was tried or attested before is due, in seconds since 1970; infinite when there is none."""
        due_at = self._attempts.due_at(time.time())
        again_at = math.inf if self._revisits is None else self._revisits.due_at()
        return min(math.inf if due_at is None else due_at, again_at)

    def now(self, fetching: Sequence[Record], arrived: Collection[str]) -> Iterator[Record]:
        """Documents to be fetched now, besides those that are in hand; of each submitter a few, the oldest first.

        Args:
            fetching: documents that are on their way.
            arrived: ids of those that have come and are not concluded.
        """
        in_hand = {document["document_id"] for document in fetching} | set(arrived)
        fetches = Counter(document["submitter"] for document in fetching)
        parties = self._readmodel.parties()
        own_group = next((party["group_id"] for party in parties if party["msp_id"] == self._msp_id), "")
        for party in parties:
            room = FETCHES_A_SUBMITTER_MAX - fetches[party["msp_id"]]
            if room > 0 and party["group_id"] == own_group != "" and party["msp_id"] != self._msp_id:
                yield from self._of_own_group(party["msp_id"], in_hand, room)
            elif room > 0 and party["group_id"] != own_group:
                again = list(islice(self._again(party["msp_id"], in_hand), (room + 1) // 2))
                yield from again
                fresh = list(self._fresh(party["msp_id"], room - len(again)))
                yield from fresh
                if self._revisits is not None:
                    known = in_hand | {document["document_id"] for document in (*again, *fresh)}
                    left = room - len(again) - len(fresh)
                    yield from islice(self._revisits.now(party["msp_id"], known), left)

    def _of_own_group(self, submitter: str, in_hand: set[str], room: int) -> Iterator[Record]:
        """Documents that cannot be attested here, and are read so that goods can be matched with them."""
        if self._revisits is not None:
            yield from islice(self._revisits.now(submitter, in_hand), room)

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
            after = self._begun_with.get(submitter, (-1, ""))
            page = self._readmodel.unattested(self._msp_id, submitter, after=after)
            tried = self._attempts.known([document["document_id"] for document in page])
            for document in page:
                if room == 0:
                    return
                self._begun_with[submitter] = (document["block_number"], document["document_id"])
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
            self._attempts.later(
                attempt, tries=attempt.tries + 1, generation=attempt.generation + 1, command_id="", verdict=""
            )
            return True
        if attempt.verdict != "unavailable":
            self._attempts.forget(attempt.document_id)
            return True
        return False
