"""Many commands in one transaction, each atomic: the overlay that lets reads see the batch's earlier writes.

A ledger's own reads never see the transaction's writes, so that two invoices paid in one batch would both see the
same limit and the same deposit. The overlay closes that: a command works on an overlay of its own, over the batch's,
over the ledger. A command that is refused leaves its overlay behind, and no trace.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from chaincode import read_ahead
from chaincode.commands.context import Context
from chaincode.commands.release import look_ahead
from chaincode.contract import Readable, Submitted, read_command, run_command
from chaincode.errors import RecordError, Refusal, RefusalCode
from chaincode.records import Day, decode, keys
from chaincode.records.command_ids import proves_itself
from chaincode.stub import Stub

KEYS_ASKED_MAX = 200_000
"""After so many keys asked for by commands of one transaction, those asked for again included, no other is decided."""
VALUE_BYTES = 256
"""So many bytes of a value that is asked for count as one more key: that is what reading an event in a list takes."""
KEYS_AHEAD_MAX = 50_000
"""How many keys are asked for ahead in one round trip; what is not is read when it is needed."""
INVOICES_AHEAD_MAX = 500
"""The release checks of how many invoices are looked at ahead."""
_FULL = Refusal(
    RefusalCode.TRANSACTION_FULL,
    "the commands before this one have read all that one transaction may: send it again in another transaction",
)


class Overlay:
    """A stub over another one: reads see its own writes, and ask the one below only once for each key or range.

    That is sound as long as the one below does not change meanwhile: the ledger never does within a transaction, and
    a batch's overlay only changes when a command's overlay, which is then done, is merged into it.
    """

    def __init__(self, below: Stub) -> None:
        self._below = below
        self.tx_id, self.channel_id, self.timestamp = below.tx_id, below.channel_id, below.timestamp
        self.msp_id, self.creator_certificate = below.msp_id, below.creator_certificate
        self._writes: dict[str, bytes | None] = {}
        self._written: list[str] = []  # the keys of _writes in order: a range must not look at all of them
        self._endorsers: dict[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {}
        self._known: dict[str, bytes | None] = {}
        self._ranges: dict[tuple[str, str, int], list[tuple[str, bytes]]] = {}
        self.keys_asked = 0
        """How many keys were asked for so far, again or for the first time; VALUE_BYTES of a value count as one."""

    async def get_state(self, key: str) -> bytes | None:
        """The value of a key as it is after the overlay's writes."""
        self.keys_asked += 1
        if key not in self._known:
            self._known[key] = await self._below.get_state(key)
        value = self._known[key]
        self.keys_asked += len(value or b"") // VALUE_BYTES
        return value

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys as they are after the overlay's writes."""
        self.keys_asked += len(keys)
        unknown = [key for key in dict.fromkeys(keys) if key not in self._known]
        if unknown:
            self._known.update(zip(unknown, await self._below.get_states(unknown), strict=True))
        values = [self._known[key] for key in keys]
        self.keys_asked += sum(len(value) // VALUE_BYTES for value in values if value)
        return values

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        """The first keys of a range, 0 for all, as they are after the overlay's writes, in key order."""
        own = self._written[bisect_left(self._written, start) : bisect_left(self._written, end)]
        # Of what is below, as many may be missing here as the overlay has deleted.
        asked = (start, end, limit and limit + sum(self._writes[key] is None for key in own))
        if asked not in self._ranges:
            self._ranges[asked] = await self._below.get_range(*asked)
        found: dict[str, bytes | None] = dict(self._ranges[asked])
        found.update((key, self._writes[key]) for key in own)
        standing = [(key, value) for key, value in sorted(found.items()) if value is not None]
        self.keys_asked += 1 + len(standing)
        return standing[:limit] if limit else standing

    def put_state(self, key: str, value: bytes) -> None:
        """Set a key in the overlay."""
        self._write(key, value)

    def del_state(self, key: str) -> None:
        """Delete a key in the overlay."""
        self._write(key, None)

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None:
        """Set, in the overlay, who must endorse later changes of a key."""
        self._endorsers[key] = tuple(msp_ids), tuple(others), others_min

    def merge(self) -> None:
        """Hand all writes, and who must endorse later ones, down to the stub below."""
        for key, value in self._writes.items():
            if value is None:
                self._below.del_state(key)
            else:
                self._below.put_state(key, value)
        for key, endorsers in self._endorsers.items():
            self._below.set_key_endorsers(key, *endorsers)

    def _write(self, key: str, value: bytes | None) -> None:
        if key not in self._writes:
            insort(self._written, key)
        self._writes[key] = self._known[key] = value


async def run_batch(stub: Stub, commands: Sequence[Submitted]) -> tuple[bool, list[dict[str, Any]]]:
    """Run commands in order, each atomic, until they have asked for as many keys as one transaction may.

    The first one is always decided, so that whoever sends the others again comes to an end.

    Args:
        stub: the ledger; it gets the writes when, and only when, all commands have been decided.
        commands: at least one.

    Returns: whether any command was applied, now or before, and the result of each.
    Raises: anything but a Refusal: a failure, after which nothing has been written.
    """
    batch = Overlay(stub)
    readable = [_read(command) for command in commands]
    await _read_ahead(batch, [command for command in readable if isinstance(command, Readable)])
    results: list[dict[str, Any]] = []
    asked = 0
    for number, (submitted, command) in enumerate(zip(commands, readable, strict=True)):
        overlay = Overlay(batch)
        results.append(await _run_one(overlay, submitted, command if asked < KEYS_ASKED_MAX else _FULL, number))
        asked += overlay.keys_asked
    any_applied = any(result["status"] != "refused" for result in results)
    if any_applied:
        batch.merge()
    return any_applied, results


def _read(command: Submitted) -> Readable | Refusal:
    try:
        return read_command(command)
    except Refusal as refusal:
        return refusal


async def _read_ahead(batch: Overlay, commands: Sequence[Readable]) -> None:
    """Read what all commands will read, as far as it can be told: two round trips, and three for release checks."""
    first = list(islice(_named(batch.msp_id, commands), KEYS_AHEAD_MAX))
    found = await batch.get_states(first)
    second = list(islice(read_ahead.following(zip(first, found, strict=True)), KEYS_AHEAD_MAX))
    values = [*found, *(await batch.get_states(second) if second else ())]
    approving = {each.body.invoice_id for each in commands if each.submitted.type == "ApproveInvoice"}
    checked = read_ahead.checked(zip([*first, *second], values, strict=True), approving)
    if invoices := list(islice(checked, INVOICES_AHEAD_MAX)):
        with suppress(RecordError):  # whoever reads it for itself says so
            day = await batch.get_state(keys.DAY)
            await look_ahead(Context(batch, "", decode(Day, day).date if day else ""), invoices, KEYS_AHEAD_MAX)


def _named(msp_id: str, commands: Sequence[Readable]) -> Iterator[str]:
    yield from (keys.FOUNDING, keys.DAY, keys.party(msp_id))
    for command in commands:
        if not proves_itself(command.submitted.command_id):
            yield keys.command(msp_id, command.submitted.command_id)
        yield from (keys.person(msp_id, person) for person in command.submitted.persons)
        yield from read_ahead.named(msp_id, command.submitted.body)


async def _run_one(overlay: Overlay, submitted: Submitted, command: Readable | Refusal, number: int) -> dict[str, Any]:
    if isinstance(command, Refusal):
        return _refused(submitted, command)
    try:
        applied, result = await run_command(overlay, command, number)
    except Refusal as refusal:
        return _refused(submitted, refusal)
    overlay.merge()
    return {"command_id": submitted.command_id, "status": "applied" if applied else "exists", "result": result}


def _refused(submitted: Submitted, refusal: Refusal) -> dict[str, Any]:
    return {
        "command_id": submitted.command_id,
        "status": "refused",
        "code": refusal.code.value,
        "text": refusal.text,
    }
