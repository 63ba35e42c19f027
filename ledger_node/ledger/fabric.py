"""The `Ledger` protocol over a real Fabric network, through the organisation's own peer.

Only translates: plain values in, plain data and the errors of `interface` out. It never sends anything twice; who
calls decides that, with `status`. Source: house.md section 5 for which error means what.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from ledger_node.errors import ConfigError
from ledger_node.ledger.interface import (
    Block,
    BlockMissing,
    CommitError,
    EndorseError,
    LedgerError,
    Prepared,
    Receipt,
    SubmitError,
    TooLargeError,
    Transaction,
    Witness,
    Write,
    not_ok,
)
from ledger_node.ledger.witness import FabricWitness
from network import gateway
from network.blocks import Block as FabricBlock
from network.blocks import BlockError, check_block, read_block
from network.certificates import unfit

REFUSED_STATUS_MIN = 400
REFUSED_STATUS_END = 500  # from here on the contract did not refuse, it broke: a new proposal may do
BLOCK_WAIT_SECONDS = 10.0
BLOCK_LIMITS_SECONDS = 60.0  # a change of the channel's configuration is known that soon
ARGUMENT_PARTS = 4
STATUS_RETRY_SECONDS = 0.5
NOT_FOUND, BAD_REQUEST = "NOT_FOUND", "BAD_REQUEST"  # of common.Status
SNAPSHOT_SECONDS_MAX = 2.0
SNAPSHOT_REMEDY = "Ask a peer that has all blocks, another organisation's for example; the command may be sent again."
CLOCKS_REMEDY = "Set the clocks (ledger-node doctor compares them). What was signed off line must be signed anew."
# Not known yet; the peer is down; the peer is busy ("exceeding concurrency limit"). All may change while we wait.
STATUS_RETRY_CODES = ("DEADLINE_EXCEEDED", "UNAVAILABLE", "UNKNOWN")


class FabricLedger:
    """A channel's contract on a Fabric network. Opens nothing before the first call that needs the network.

    Args:
        endpoint: "host:port" of the own organisation's peer.
        tls_roots: file with the PEM certificates that the peer's TLS certificate must come from.
        msp_id: of the own organisation.
        certificate: file with the client identity's certificate, PEM.
        key: file with its ECDSA P-256 key, PEM.
        channel: the channel's name.
        chaincode: the contract's name on the channel.
        server_name: the name to expect in the peer's certificate, if it is not the endpoint's host.
        deadlines: how long each step may take.

    Raises:
        ConfigError: a file is missing or is not what it should be.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        tls_roots: Path,
        msp_id: str,
        certificate: Path,
        key: Path,
        channel: str,
        chaincode: str,
        server_name: str = "",
        deadlines: gateway.Deadlines | None = None,
    ) -> None:
        self._msp_id = msp_id
        self._chaincode = chaincode
        self._background = gateway.Background()
        identity = gateway.Identity(msp_id, _read(certificate))
        if fault := unfit(identity.certificate, tls=False):
            raise ConfigError(
                f"{certificate} cannot be the node's identity: {fault}", "Put another one into node.toml."
            )
        sign, roots = _signer(key), _read(tls_roots)
        self._identity, self._sign = identity, sign
        try:
            self._gateway = gateway.Gateway(
                endpoint, identity, sign, tls_roots=roots, server_name=server_name, deadlines=deadlines
            )
        except ValueError as error:
            raise ConfigError(f"{certificate} is no certificate: {error}", "It must be X.509, PEM.") from error
        self._network = self._gateway.network(channel)
        self._contract = self._network.contract(chaincode)
        self._height_seen = 0
        self._block_limits = gateway.BlockLimits(1, 0, 0)
        self._block_limits_until = 0.0

    def prepare(self, argument: bytes) -> Prepared:
        """Make and sign a transaction; works without any network."""
        proposal = self._contract.propose(argument)
        return Prepared(proposal.transaction_id, proposal.serialized)

    def submit(self, prepared: Prepared) -> Receipt:
        """Endorse, order and wait for the commit.

        Raises: ContractRefused, EndorseError, SubmitError, TooLargeError, CommitError.
        """
        return self._background.run(self._submit(prepared))

    def status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        """The fate of a transaction by its id alone; None when it is not known after the time given.

        Raises: LedgerError when the peer refuses to answer, or says that the transaction was before its snapshot.
        """
        return self._background.run(self._status(transaction_id, timeout_seconds))

    def evaluate(self, argument: bytes, block_number_min: int = 0) -> bytes:
        """Run the contract on the own peer's state, at least as new as that block.

        Raises: ContractRefused, EndorseError.
        """
        return self._background.run(self._evaluate(argument, block_number_min))

    def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        """Committed blocks from number `start` on, each checked against its hashes and the block before it.

        Raises: BlockMissing; LedgerError when the connection is lost or a block does not fit.
        """
        previous: FabricBlock | None = None
        try:
            for message in self._background.iterate(self._network.blocks(start), stop):
                block = read_block(message)
                check_block(block, previous)
                previous = block
                yield self._plain(block)
        except (gateway.GatewayError, BlockError) as error:
            is_missing = previous is None and isinstance(error, gateway.BlocksError) and error.code == NOT_FOUND
            if is_missing and start < self.height():
                text = f"the own peer has later blocks, but not block {start}: it joined the channel by a snapshot"
                raise BlockMissing(text) from error
            refused = isinstance(error, gateway.BlocksError) and error.code == BAD_REQUEST
            raise LedgerError(str(error), remedy=_clock_remedy() if refused else "") from error
        if not stop.is_set():
            raise LedgerError("the stream of blocks ended")

    def height(self) -> int:
        """How many blocks the own peer has committed.

        Raises: LedgerError when the peer does not answer.
        """
        try:
            return self._background.run(self._network.height())
        except gateway.GatewayError as error:
            raise LedgerError(str(error)) from error

    def group_bytes_max(self) -> int:
        """Bytes of arguments that fit into a block of the channel; its configuration is asked for now and then.

        Arguments travel twice, in the proposal and as writes, and more than that with endorsements and answers: a
        quarter of what a block may have at most. What the orderers prefer is kept to, in the same way.

        Raises: LedgerError when the peer does not answer.
        """
        if time.monotonic() >= self._block_limits_until:
            try:
                self._block_limits = self._background.run(self._network.block_limits())
            except gateway.GatewayError as error:
                raise LedgerError(str(error)) from error
            self._block_limits_until = time.monotonic() + BLOCK_LIMITS_SECONDS
        limits = self._block_limits
        return min(limits.bytes_max // ARGUMENT_PARTS, limits.bytes_preferred // 2)

    def witness(self) -> Witness:
        """What shows to others what the channel holds."""
        return FabricWitness(self._background, self._network, self._identity, self._sign, self._chaincode)

    def close(self) -> None:
        """Release the connection; closing twice is fine."""
        if self._background.is_open:
            self._background.run(self._gateway.close())
        self._background.close()

    async def _submit(self, prepared: Prepared) -> Receipt:
        tx_id = prepared.transaction_id
        try:
            transaction = await self._gateway.proposal(prepared.payload).endorse()
            commit = await transaction.submit()
            status = await commit.status()
            status.check()
        except gateway.EndorseError as error:
            if error.already_committed:
                raise SubmitError(f"sent before: {error}", tx_id) from error
            raise self._not_endorsed(error) from error
        except gateway.CommitError as error:
            raise CommitError(error.validation_code, tx_id, error.block_number) from error
        except gateway.GatewayError as error:
            raise _fate_unknown(error) from error
        self._height_seen = max(self._height_seen, status.block_number + 1)
        return Receipt(tx_id, status.block_number, status.code, transaction.result)

    async def _status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        ends = time.monotonic() + timeout_seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                status = await self._network.commit_status(transaction_id, left)
            except gateway.CommitStatusError as error:
                if error.code not in STATUS_RETRY_CODES:
                    raise LedgerError(str(error), transaction_id) from error
            else:
                return Receipt(transaction_id, status.block_number, status.code, b"")
            await asyncio.sleep(min(STATUS_RETRY_SECONDS, max(0.0, ends - time.monotonic())))
        if await self._is_before_snapshot(transaction_id):
            text = f"the own peer joined the channel by a snapshot taken after the transaction {transaction_id}"
            raise LedgerError(f"{text}: it cannot say what became of it", transaction_id, SNAPSHOT_REMEDY)
        return None

    async def _is_before_snapshot(self, transaction_id: str) -> bool:
        """Whether that is why the peer says nothing; when it does not say that either, it is as unknown as before."""
        with suppress(gateway.GatewayError, TimeoutError):
            async with asyncio.timeout(SNAPSHOT_SECONDS_MAX):
                return await self._network.is_before_snapshot(transaction_id)
        return False

    async def _evaluate(self, argument: bytes, block_number_min: int) -> bytes:
        try:
            if block_number_min >= max(self._height_seen, 1):
                await self._network.wait_for_block(block_number_min, BLOCK_WAIT_SECONDS)
                self._height_seen = max(self._height_seen, block_number_min + 1)
            return await self._contract.evaluate(argument, organisations=(self._msp_id,))
        except gateway.BlocksError as error:
            text = f"the own peer does not have block {block_number_min} yet: {error}"
            raise EndorseError(text, remedy="Try again in a moment, or look at the peer's log.") from error
        except gateway.EvaluateError as error:
            raise self._not_endorsed(error) from error

    def _not_endorsed(self, error: gateway.GatewayError) -> LedgerError:
        response = error.chaincode_response
        # When only other organisations' peers refuse, they may be behind the own one: that is not final.
        own = any(detail.msp_id == self._msp_id for detail in error.details)
        if response is not None and own and REFUSED_STATUS_MIN <= response.status < REFUSED_STATUS_END:
            return not_ok(response.message, error.transaction_id)
        if error.too_large:
            return TooLargeError(str(error), error.transaction_id)
        if error.other_time:
            text = "a peer takes no transaction whose time is more than 15 minutes off its own clock"
            return EndorseError(f"{text}: {error}", error.transaction_id, CLOCKS_REMEDY)
        return EndorseError(str(error), error.transaction_id)

    def _plain(self, block: FabricBlock) -> Block:
        transactions = (
            Transaction(
                transaction.id,
                transaction.code,
                transaction.creator.msp_id,
                transaction.timestamp,
                tuple(
                    Write(write.key, write.value) for write in transaction.writes if write.namespace == self._chaincode
                ),
                transaction.response,
            )
            for transaction in block.transactions
        )
        return Block(block.number, tuple(transactions), block.hash.hex())


def _clock_remedy() -> str:
    """What a peer that only says BAD_REQUEST means as a rule: it takes nothing dated too far from its own time."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return f"Compare the clocks: this machine's says {now}, and a peer refuses what is more than 15 minutes off its own"


def _fate_unknown(error: gateway.GatewayError) -> LedgerError:
    if error.too_large:
        return TooLargeError(str(error), error.transaction_id)
    return SubmitError(str(error), error.transaction_id)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}", "Check the node's settings.") from error


def _signer(key: Path) -> gateway.Sign:
    try:
        return gateway.software_signer(_read(key))
    except ValueError as error:
        raise ConfigError(
            f"{key} is no key for a Fabric identity: {error}", "It must be ECDSA or Ed25519, PEM."
        ) from error
