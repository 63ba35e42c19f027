"""A world whose transactions are also blocks, and the node's read model folded from them."""

from __future__ import annotations

from pathlib import Path

from world import World
from world_bodies import hex64

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.ledger.interface import VALID, Block, Transaction, Write
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.fold import Fold
from ledger_node.readmodel.tables import Checkpoint


class ProjectedWorld(World):
    """Remembers every transaction that changed something as a block of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []

    def apply(self, writes: dict[str, bytes | None]) -> None:
        super().apply(writes)
        number = len(self.blocks)
        changed = tuple(Write(key, value) for key, value in sorted(writes.items()))
        transaction = Transaction(hex64(f"transaction {self.transactions}"), VALID, "", "", changed, b"")
        self.blocks.append(Block(number, (transaction,)))

    @property
    def block_number(self) -> int:
        """The number of the last block."""
        return len(self.blocks) - 1

    def read_model(self, path: Path, blocks: int | None = None) -> ReadModel:
        """The read model of all blocks, or of the first so many."""
        database = Database(f"sqlite:///{path}")
        database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        fold = Fold()
        for block in self.blocks[:blocks]:
            fold.add(block)
        with database.write() as session:
            fold.write(session)
            session.merge(Checkpoint(id=0, next_block=fold.next_block, timestamp=""))
        return ReadModel(database)


def replayed(world: World) -> tuple[ProjectedWorld, list[int]]:
    """All that was sent in a world, sent again.

    Returns: the projected world, and for each transaction that was sent the number of its block, -1 when it made none.
    """
    again = ProjectedWorld()
    numbers = []
    for msp_id, again.timestamp, argument in world.sent:
        height = len(again.blocks)
        again.dispatch(msp_id, argument)
        numbers.append(height if len(again.blocks) > height else -1)
    return again, numbers
