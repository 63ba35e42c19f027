"""Contention of nodes that change the same keys: each sends in its turn, instead of all at once and in vain.

Of transactions that were endorsed on one state and change one key, the ledger takes the first. Those that lose have
cost every endorser as much as the winner, and again at the next try. Every node reads the same blocks, the invalidated
transactions in them too, so all can tell without a message who contends and who won last: the next one, in the order
of MSP ids after the winner, goes at once, the one after it when that one has had its time, and so on round. Whoever
has nothing more to send is passed by once, or twice where there are only two, and then forgotten. Nothing here is
needed for safety: a node that goes out of turn only risks another conflict. It decides nothing but when.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ledger_node.ledger.interface import VALID, Block

CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
RECENT_SECONDS = 5.0
"""Whoever has not changed a key for so long contends for it no more."""
SETTLE_SECONDS = 0.005
"""Before the own turn begins: other peers may get a block a little later, and endorse nothing like ours till then."""
TRANSACTIONS_MAX = 64
STOP_POLL_SECONDS = 0.1
TURN_SECONDS_MIN, TURN_SECONDS_MAX = 0.1, 5.0
TURN_TRANSACTIONS = 2  # as long as so many take, a rival may take for one before it loses its turn


@dataclass(frozen=True, slots=True)
class _SeenTransaction:
    """A transaction of a block: when it was seen, whose it is, what became of it, which keys it wanted to change."""

    at: float
    msp_id: str
    code: str
    keys: frozenset[str]


class Contention:
    """Who contends with this node, and whose turn it is; may be used from any thread.

    Args:
        msp_id: the own organisation.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, msp_id: str, now: Callable[[], float] = time.monotonic) -> None:
        self._msp_id = msp_id
        self._now = now
        self._news = threading.Condition()
        self._next_block = 0
        self._seen: deque[_SeenTransaction] = deque(maxlen=TRANSACTIONS_MAX)
        self._in_turns = False

    def saw(self, block: Block) -> None:
        """Take in a block, as soon as it comes."""
        at = self._now()
        transactions = [
            _SeenTransaction(
                at, transaction.msp_id, transaction.code, frozenset(write.key for write in transaction.writes)
            )
            for transaction in block.transactions
        ]
        with self._news:
            self._seen.extend(transactions)
            self._next_block = block.number + 1
            self._is_contended(self._touching())
            self._news.notify_all()

    def contended(self) -> bool:
        """Whether there was a conflict over what the own latest transaction changed, and the rivals are still there."""
        with self._news:
            return self._is_contended(self._touching())

    def wait(self, block_number: int, turn_seconds: float, stop: threading.Event) -> None:
        """Wait until it is the own turn.

        Args:
            block_number: where the own latest transaction is; whose turn it is cannot be told before that is seen.
            turn_seconds: how long a transaction takes; whoever does not use its turn loses it after that.
            stop: ends the waiting.
        """
        latest = self._now() + turn_seconds
        share = random.random()  # where nothing orders those who contend, each waits for a time of its own
        with self._news:
            while not stop.is_set():
                unseen = self._next_block <= block_number
                begins = latest if unseen else self._begins(turn_seconds, share)
                left_seconds = begins - self._now()
                if left_seconds <= 0:
                    return
                self._news.wait(min(left_seconds, STOP_POLL_SECONDS))

    def _begins(self, turn_seconds: float, share: float) -> float:
        """When the own turn begins, as it looks now."""
        touching = self._touching()
        if not self._is_contended(touching):
            return 0.0
        winners = [seen for seen in touching if seen.code == VALID]
        everybody = {seen.msp_id for seen in touching}
        rivals = {seen.msp_id for seen in touching[-1 - len(everybody) :]} | {self._msp_id}
        if not winners or rivals == {self._msp_id}:
            return touching[-1].at + share * turn_seconds
        order = sorted(rivals | {winners[-1].msp_id})
        behind = (order.index(self._msp_id) - order.index(winners[-1].msp_id) - 1) % len(order)
        return winners[-1].at + SETTLE_SECONDS + behind * turn_seconds

    def _is_contended(self, touching: Sequence[_SeenTransaction]) -> bool:
        """Turns go on without further conflicts, which they are there to avoid, for as long as there is a rival."""
        conflict = any(seen.code in CONFLICTS for seen in touching)
        rival = any(seen.msp_id != self._msp_id for seen in touching)
        self._in_turns = conflict or (rival and self._in_turns)
        return self._in_turns

    def _touching(self) -> Sequence[_SeenTransaction]:
        """Recent transactions that changed, or wanted to change, a key of the own latest one; that one among them.

        None where nobody has lost one for long: comparing keys is not for nothing.
        """
        oldest = self._now() - RECENT_SECONDS
        recent = [seen for seen in self._seen if seen.at > oldest]
        if not self._in_turns and not any(seen.code in CONFLICTS for seen in recent):
            return []
        own = next((seen.keys for seen in reversed(recent) if seen.msp_id == self._msp_id), frozenset())
        return [seen for seen in recent if not own.isdisjoint(seen.keys)]


class OwnTurn:
    """The own part in it: while others contend, one transaction of this node goes at a time, and in its turn.

    Args:
        contention: who contends with this node.
    """

    def __init__(self, contention: Contention) -> None:
        self._contention = contention
        self._alone = threading.Lock()  # held by the one transaction in flight while others contend
        self._block_number = 0  # where the own latest transaction is
        self._turn_seconds = TURN_SECONDS_MIN

    @contextmanager
    def awaited(self, tries: int, stop: threading.Event) -> Iterator[None]:
        """Where others contend: wait for the own turn, and let no other transaction of this node go meanwhile.

        Args:
            tries: one that has failed before waits for its turn in any case.
            stop: ends the waiting.
        """
        if not tries and not self._contention.contended():
            yield
            return
        with self._alone:
            self._contention.wait(self._block_number, self._turn_seconds, stop)
            yield

    def used(self, block_number: int, took_seconds: float) -> None:
        """Note where the latest transaction is, and how long a rival may take for one of its own."""
        self._block_number = block_number
        self._turn_seconds = min(max(TURN_TRANSACTIONS * took_seconds, TURN_SECONDS_MIN), TURN_SECONDS_MAX)
