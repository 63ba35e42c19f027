"""The verifier: documents of others, fetched, hashed again, recomputed and attested.

Which are to be fetched is for `due` to say, what is said of them for `verdicts`. What comes is hashed in batches, the
oldest first. Fetched bytes are deleted as soon as they are hashed and read. One whose check by rules is slow is
concluded beside the others, and is in hand meanwhile: it delays only what its own submitter registers besides.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import structlog

from ledger_node.hashing import Hashed, Source, UnreadableError
from ledger_node.readmodel import Record
from ledger_node.rules import Slow
from ledger_node.verification.attempts import LOOK_AGAIN_SECONDS
from ledger_node.verification.due import DueDocuments
from ledger_node.verification.exchange import ExchangeError
from ledger_node.verification.fetcher import Fetched, Fetcher
from ledger_node.verification.verdicts import Verdicts

FETCHES_AT_ONCE = 32
POLL_SECONDS = 0.05
LOOK_SECONDS_MAX = 10.0
"""So often documents are looked for at least, though the read model is as it was and none that was tried is due."""
GATHER_SECONDS = 0.1
"""How long a document that has come waits for others to be hashed with, while others are on their way."""

HashBatch = Callable[[Sequence[Source]], list[Hashed | UnreadableError]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batches:
    """What hashes, and how much of what has come is hashed at once."""

    hash_batch: HashBatch
    documents_max: int
    bytes_max: int

    def is_full(self, arrived: Sequence[Fetched]) -> bool:
        """Whether no more should be waited for."""
        size_bytes = sum(fetched.size_bytes for fetched in arrived)
        return len(arrived) >= self.documents_max or size_bytes >= self.bytes_max


@dataclass
class _InHand:
    """What is on its way, what has come, when the first of that came, and when more was looked for; monotonic.

    `slow` is what has come and is being concluded beside the others.
    """

    fetching: dict[futures.Future[Fetched], Record] = field(default_factory=dict)
    slow: dict[futures.Future[None], Record] = field(default_factory=dict)
    arrived: list[Fetched] = field(default_factory=list)
    arrived_at: float = 0.0
    looked_at: float = 0.0
    due_at: float = 0.0  # when one that was tried before is due; since 1970


class Verifier:
    """The verifier of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        due: which documents are to be fetched.
        fetcher: gets one.
        verdicts: says what is to be said of it.
        batches: hashes what has come.
        documents: set by whoever has put new documents into the read model; they are looked for now and then besides.
        changes: of the read model, `Database.changes`.
    """

    def __init__(
        self,
        due: DueDocuments,
        fetcher: Fetcher,
        verdicts: Verdicts,
        batches: Batches,
        documents: threading.Event,
        changes: Callable[[], AbstractContextManager[Callable[[], bool]]],
    ) -> None:
        self._changes = changes
        self._due = due
        self._fetcher = fetcher
        self._verdicts = verdicts
        self._batches = batches
        self._documents = documents

    def run(self, stop: threading.Event) -> None:
        """Verify documents as they are registered until `stop` is set."""
        self._fetcher.clear()
        self._due.begin_anew()
        hand = _InHand()
        with (
            self._changes() as changed,
            futures.ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="fetch") as pool,
            futures.ThreadPoolExecutor(1, thread_name_prefix="slow") as beside,
        ):
            while not stop.is_set():
                if self._is_time_to_look(hand, changed):
                    self._fetch_more(pool, hand)
                received = self._receive(hand)
                if not self._conclude_gathered(hand, beside) and not received:
                    at_rest = not hand.fetching and not hand.arrived
                    self._documents.wait(LOOK_AGAIN_SECONDS if at_rest else 0 if hand.fetching else POLL_SECONDS)
            pool.shutdown(wait=False, cancel_futures=True)
            beside.shutdown(wait=False, cancel_futures=True)

    def _is_time_to_look(self, hand: _InHand, changed: Callable[[], bool]) -> bool:
        """Whether there are new documents, or else something has changed or become due since the last look."""
        since_seconds = time.monotonic() - hand.looked_at
        if self._documents.is_set():
            return True
        if since_seconds <= LOOK_AGAIN_SECONDS:
            return False
        return changed() or time.time() >= hand.due_at or since_seconds > LOOK_SECONDS_MAX

    def _fetch_more(self, pool: futures.ThreadPoolExecutor, hand: _InHand) -> None:
        """Begin to fetch what is due."""
        self._documents.clear()
        hand.looked_at = time.monotonic()
        arrived = [fetched.document_id for fetched in hand.arrived]
        for document in list(self._due.now([*hand.fetching.values(), *hand.slow.values()], arrived)):
            hand.fetching[pool.submit(self._fetcher.get, document)] = document
        hand.due_at = self._due.due_at()

    def _receive(self, hand: _InHand) -> bool:
        """Take in what has come, after a moment if nothing has; a try is counted of what could not be had."""
        awaited: list[futures.Future[Any]] = [*hand.fetching, *hand.slow]
        futures.wait(awaited, POLL_SECONDS, futures.FIRST_COMPLETED)
        done = [future for future in hand.fetching if future.done()]
        concluded = [future for future in hand.slow if future.done()]
        if not done and not concluded:
            return False
        if not hand.arrived:
            hand.arrived_at = time.monotonic()
        hand.arrived += self._had([(hand.fetching.pop(future), future) for future in done])
        for slow in concluded:
            del hand.slow[slow]
            slow.result()
        hand.looked_at = 0.0  # there is room for another one
        return True

    def _conclude_gathered(self, hand: _InHand, beside: futures.Executor) -> bool:
        """Conclude what has come, unless others on their way are worth waiting for. Returns: whether it did."""
        waited_seconds = time.monotonic() - hand.arrived_at
        wait = hand.fetching and waited_seconds <= GATHER_SECONDS and not self._batches.is_full(hand.arrived)
        if not hand.arrived or wait:
            return False
        self._conclude(hand, beside)
        hand.arrived, hand.due_at = [], 0.0  # what was concluded may be due again before anything else
        return True

    def _had(self, done: Sequence[tuple[Record, futures.Future[Fetched]]]) -> Iterator[Fetched]:
        for document, future in done:
            try:
                yield future.result()
            except (ExchangeError, OSError) as error:
                self._verdicts.not_had(document, str(error))
            except Exception as error:  # one document must not keep the others from being verified
                log.exception("fetching a document broke", document_id=document["document_id"])
                self._verdicts.not_had(document, repr(error))

    def _conclude(self, hand: _InHand, beside: futures.Executor) -> None:
        """Hash what has come, all at once and the oldest first, and say what is to be said of each."""
        ordered = sorted(hand.arrived, key=lambda fetched: (fetched.document["block_number"], fetched.document_id))
        with contextlib.ExitStack() as stack:
            for fetched in ordered:
                stack.callback(fetched.path.unlink, missing_ok=True)
            answers = self._batches.hash_batch([fetched.path for fetched in ordered])
            stack.pop_all()  # each is deleted when it is concluded
        for fetched, hashed in zip(ordered, answers, strict=True):
            try:
                self._compare(fetched, hashed, patient=False)
            except Slow:
                hand.slow[beside.submit(self._compare, fetched, hashed, patient=True)] = fetched.document

    def _compare(self, fetched: Fetched, hashed: Hashed | UnreadableError, *, patient: bool) -> None:
        """Say what is to be said of one document, and delete it.

        Raises: Slow, to who is not patient; it is still there then.
        """
        try:
            self._verdicts.compare(fetched, hashed, patient=patient)
        except Slow:
            raise
        except UnreadableError as error:
            self._verdicts.not_had(fetched.document, error.text)
        except Exception as error:  # what a stranger wrote must not stop the verifier
            log.exception("reading a document broke", document_id=fetched.document_id)
            self._verdicts.not_had(fetched.document, repr(error))
        fetched.path.unlink(missing_ok=True)
