"""The projector: blocks of the ledger, folded into the read model.

Effect and checkpoint are written in one SQL transaction, so a kill at any point repeats a block or leaves it out, and
never does half of one or one twice. Only writes of VALID transactions count. Every record is decoded strictly before
anything is written; a gap in the numbers, an unknown kind or an unreadable record stops the projector for good: a
read model that guesses is worse than one that is visibly old. So does another ledger: the checkpoint knows the hashes
of block 0 and of the last block folded, and nothing is folded onto it before the peer has shown that last block again.
It never asks the contract and never writes a command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

import structlog

from ledger_node.database import Database, ReadModelSchema, ReadModelTable, table_of, upsert
from ledger_node.errors import ProjectionError
from ledger_node.ledger.interface import Block, BlockMissing, Ledger, LedgerError
from ledger_node.readmodel.fold import Fold
from ledger_node.readmodel.tables import Checkpoint

RETRY_SECONDS = 1.0
NO_EARLY_BLOCKS = (
    "Take them from another organisation's peer that has them: set LEDGER_NODE_FABRIC__PEER_ENDPOINT and"
    " LEDGER_NODE_FABRIC__TLS_ROOT to its endpoint and TLS root for one run of: ledger-node db rebuild"
)

log = structlog.get_logger(__name__)


class Projector:
    """The writer of the read model. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        database: the read-model database, its tables in place.
        ledger: where blocks come from.
        writes_max: how many writes go into one SQL transaction while catching up.
        saw: told of each block as soon as it comes.
        documents: set when the read model has new documents.
        told: hears the error when the ledger is lost, and an empty text when blocks come.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        writes_max: int,
        saw: Callable[[Block], None] = lambda block: None,
        documents: threading.Event | None = None,
        told: Callable[[str], None] = lambda error: None,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._writes_max = writes_max
        self._saw = saw
        self._documents = documents
        self._told = told

    def run(self, stop: threading.Event) -> None:
        """Fold blocks as they come until `stop` is set, connecting anew when the ledger is lost.

        Raises: ProjectionError when a block is missing or a record cannot be read.
        """
        while not stop.is_set():
            try:
                self._follow(stop)
            except LedgerError as error:
                log.warning("the stream of blocks was lost", error=str(error), remedy=error.remedy)
                self._told(f"{error.text} {error.remedy}".rstrip())
                stop.wait(RETRY_SECONDS)

    def rebuild(self) -> int:
        """Forget the read model and fold all blocks there are now, from block 0.

        Returns: the number of blocks folded.

        Raises: ProjectionError, LedgerError.
        """
        self._database.empty(ReadModelTable.metadata, ReadModelSchema)
        return self.catch_up()

    def catch_up(self, end: int | None = None) -> int:
        """Fold the blocks there are now and return.

        Args:
            end: the number of the first block to leave out; None for all there are.

        Returns: the number of the next block.

        Raises: ProjectionError, LedgerError.
        """
        end = self._ledger.height() if end is None else end
        known = self._checkpoint()
        if (0 if known is None else known.next_block) < end:
            self._follow(threading.Event(), end)
        return end

    def _continued(self, stop: threading.Event) -> tuple[int, Iterator[Block]]:
        """The number of the next block, and the stream from it on, of the very ledger that was folded before.

        Raises: ProjectionError when it is another one; LedgerError while it is shorter.
        """
        known, height = self._checkpoint(), self._ledger.height()
        if known is None:
            if not height:
                self._told("")
            return 0, self._blocks(0, stop)
        if height < known.next_block:
            if height:
                self._require_hash(0, known.genesis_hash)
            text = f"the ledger has {height} blocks, fewer than the {known.next_block} that this node has folded"
            raise LedgerError(text, remedy="The peer is catching up, or it was restored: then ledger-node db rebuild")
        self._require_hash(known.next_block - 1, known.last_hash)
        self._told("")
        return known.next_block, self._blocks(known.next_block, stop)

    def _require_hash(self, number: int, known_hash: str) -> None:
        with closing(self._blocks(number, threading.Event())) as blocks:
            found = next(blocks)
        if found.hash != known_hash:
            raise ProjectionError(
                f"block {number} is not the one that this node has folded: the ledger is another one",
                "Look at channel and peer_endpoint in node.toml; if they are meant: ledger-node db rebuild",
            )

    def _blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        try:
            yield from self._ledger.blocks(start, stop)
        except BlockMissing as error:
            raise ProjectionError(error.text, NO_EARLY_BLOCKS) from error

    def _follow(self, stop: threading.Event, end: int | None = None) -> None:
        """Fold the stream, many blocks at a time while behind; `end` is the number of the first block left out."""
        expected, blocks = self._continued(stop)
        pending: list[Block] = []
        height = writes = 0
        for block in blocks:
            if block.number != expected:
                raise ProjectionError(
                    f"block {expected} is missing: the ledger went on with {block.number}",
                    "Look at the peer's ledger; then: ledger-node db rebuild",
                )
            self._saw(block)
            pending.append(block)
            expected += 1
            writes += sum(len(transaction.writes) for transaction in block.transactions)
            if expected >= height:
                height = self._ledger.height()
            if expected >= height or writes >= self._writes_max or expected == end:
                self._fold(pending)
                pending, writes = [], 0
            if expected == end:
                return

    def _fold(self, blocks: Sequence[Block]) -> None:
        fold = Fold()
        for block in blocks:
            fold.add(block)
        with self._database.write() as session:
            fold.write(session)
            known = session.get(Checkpoint, 0)
            row = {
                "id": 0,
                "next_block": fold.next_block,
                "timestamp": fold.timestamp,
                "genesis_hash": blocks[0].hash if known is None else known.genesis_hash,
                "last_hash": blocks[-1].hash,
            }
            upsert(session.connection(), table_of(Checkpoint), [row])
        self._told("")
        if fold.has_documents and self._documents is not None:
            self._documents.set()

    def _checkpoint(self) -> Checkpoint | None:
        with self._database.read() as session:
            return session.get(Checkpoint, 0)
