"""Where a stream of events starts: at a block, after a checkpoint, or with the next block that is committed."""

from __future__ import annotations

from fabric_protos.orderer.ab_pb2 import SeekNextCommit, SeekPosition, SeekSpecified

from network.gateway.checkpointer import Checkpoint


def at_block(number: int) -> SeekPosition:
    """The position of a block."""
    return SeekPosition(specified=SeekSpecified(number=number))


def has_come_anywhere(checkpoint: Checkpoint | None) -> bool:
    """Whether there is a checkpoint that names a block."""
    return checkpoint is not None and checkpoint.block_number is not None


def start_position(start: int | None, checkpoint: Checkpoint | None) -> SeekPosition:
    """The block of the checkpoint if it has one, else the block given, else the next to be committed."""
    if checkpoint is not None and checkpoint.block_number is not None:
        return at_block(checkpoint.block_number)
    return SeekPosition(next_commit=SeekNextCommit()) if start is None else at_block(start)
