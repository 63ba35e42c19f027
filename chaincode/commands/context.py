"""What a command works with: typed reads and writes, who sent it, what day it is, and the posting of money."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import add_days, deposit_currency, deposit_issuer
from chaincode.records import Account, Command, Entry, Facility, Invoice, Mark, Party, decode, encode, keys
from chaincode.records.command_ids import proves_itself
from chaincode.rules.books import Movement, guard, move
from chaincode.rules.days import FIRST_ZONE_SECONDS
from chaincode.rules.deposits import require_unfrozen
from chaincode.rules.facilities import terms_on
from chaincode.rules.invoices import require_invoice
from chaincode.rules.parties import current
from chaincode.rules.persons import require_above_threshold, require_two_persons
from chaincode.stub import Stub

R = TypeVar("R")
Result = dict[str, Any]

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def _date(seconds: int) -> str:
    """The date of a time in seconds since 1970 UTC."""
    return datetime.date.fromordinal(_EPOCH_ORDINAL + seconds // 86_400).isoformat()


class Context:
    """One command of one sender, on a stub whose reads see the command's own writes.

    Args:
        stub: the overlay of this command.
        command_id: its id.
        day: the ledger's day, empty while none is open.
        persons: commitments of the sender's persons who stand behind it, known to be active and different.
        number: its place among the commands of its transaction, from 0.
        digest: of the command, where it may have been answered before.
    """

    def __init__(
        self,
        stub: Stub,
        command_id: str,
        day: str,
        persons: tuple[str, ...] = (),
        number: int = 0,
        digest: str = "",
    ) -> None:
        self._stub = stub
        self._number = number
        self._entries = 0
        self._digest = digest
        self.command_id = command_id
        self.day = day
        self.persons = persons

    @property
    def sender(self) -> str:
        """The MSP id of the party that sent the command."""
        return self._stub.msp_id

    @property
    def transaction_id(self) -> str:
        """The id of the transaction that carries the command."""
        return self._stub.tx_id

    @property
    def proposal_date(self) -> str:
        """The date, in UTC, on which the transaction was proposed."""
        return _date(self._stub.timestamp)

    @property
    def latest_date(self) -> str:
        """The latest date that has begun anywhere on Earth: at the proposal, or when the ledger's day was opened."""
        return max(self.day, _date(self._stub.timestamp + FIRST_ZONE_SECONDS))

    @property
    def next_day(self) -> str:
        """The day after the ledger's and after that of the proposal: what waits for it cannot be used today.

        The ledger's day lags until somebody opens the next one, which the very same transaction may do.
        """
        return add_days(max(self.day, self.proposal_date), 1)

    @property
    def proposal_seconds(self) -> int:
        """The time at which the transaction was proposed, in seconds since 1970 UTC."""
        return self._stub.timestamp

    async def read(self, record_type: type[R], key: str) -> R | None:
        """The record under a key, None when there is none. Raises: RecordError."""
        data = await self._stub.get_state(key)
        return None if data is None else decode(record_type, data)

    async def read_many(self, record_type: type[R], wanted: Sequence[str]) -> list[R | None]:
        """The records of one type under several keys, in their order. Raises: RecordError."""
        values = await self._stub.get_states(wanted)
        return [None if data is None else decode(record_type, data) for data in values]

    async def read_range(self, record_type: type[R], bounds: tuple[str, str]) -> list[R]:
        """The records of one type in a range from `keys`, in key order. Raises: RecordError."""
        return [decode(record_type, data) for _, data in await self._stub.get_range(*bounds)]

    async def read_index(self, bounds: tuple[str, str], limit: int = 0) -> list[str]:
        """The first keys, 0 for all, that stand in a range from `keys`, in order."""
        return [key for key, _ in await self._stub.get_range(*bounds, limit)]

    async def exists(self, key: str) -> bool:
        """Whether anything stands under a key."""
        return await self._stub.get_state(key) is not None

    async def prefetch(self, wanted: Iterable[str]) -> None:
        """Ask for several keys in one round trip, so that reading them one by one costs none."""
        await self._stub.get_states(list(dict.fromkeys(wanted)))

    def write(self, key: str, record: Any) -> None:
        """Set a record."""
        self._stub.put_state(key, encode(record))

    def mark(self, key: str) -> None:
        """Set an index key."""
        self._stub.put_state(key, encode(Mark()))

    def delete(self, key: str) -> None:
        """Delete a key."""
        self._stub.del_state(key)

    async def kept_result(self) -> Result | None:
        """What the record of a command of this id says that it was answered, None where there is no record.

        Raises: Refusal: COMMAND_ID_REUSED, where it is another command's.
        """
        kept = await self.read(Command, keys.command(self.sender, self.command_id))
        if kept and kept.digest != self._digest:
            raise Refusal(RefusalCode.COMMAND_ID_REUSED, "this id was used for another command")
        return kept.result if kept else None

    async def invoice(self, invoice_id: str) -> Invoice:
        """The invoice of that id. Raises: Refusal: INVOICE_UNKNOWN."""
        return require_invoice(await self.read(Invoice, keys.invoice(invoice_id)), invoice_id)

    async def invoices(self, invoice_ids: Sequence[str]) -> list[Invoice]:
        """The invoices of several ids, in their order. Raises: Refusal: INVOICE_UNKNOWN."""
        found = await self.read_many(Invoice, [keys.invoice(invoice_id) for invoice_id in invoice_ids])
        return [require_invoice(one, invoice_id) for invoice_id, one in zip(invoice_ids, found, strict=True)]

    async def facility(self, facility_id: str) -> Facility | None:
        """The facility of that id with the terms of the day, None when there is none."""
        facility = await self.read(Facility, keys.facility(facility_id))
        return terms_on(facility, self.day) if facility else None

    async def party(self, msp_id: str) -> Party | None:
        """The party of that MSP id as it is now, None when there is none."""
        return (await self.parties([msp_id]))[0]

    async def parties(self, msp_ids: Sequence[str]) -> list[Party | None]:
        """The parties of several MSP ids as they are now, in their order."""
        found = await self.read_many(Party, [keys.party(msp_id) for msp_id in msp_ids])
        return [party and current(party, self.day, self._stub.timestamp) for party in found]

    async def all_parties(self) -> dict[str, Party]:
        """All parties as they are now, by MSP id; 50 at most."""
        found = await self.read_range(Party, keys.parties())
        return {party.msp_id: current(party, self.day, self._stub.timestamp) for party in found}

    async def own_party(self) -> Party:
        """The sender's party, which every command but the first ones has been required to be one."""
        party = await self.party(self.sender)
        assert party is not None, "the sender was required to be a party"
        return party

    async def require_two_persons(self) -> None:
        """Require two persons of a sender under four eyes. Raises: Refusal: TWO_PERSONS_REQUIRED."""
        require_two_persons(await self.own_party(), self.persons)

    async def require_two_persons_above(self, currency: str, amount_minor: int) -> None:
        """Require them for an amount above the sender's own threshold. Raises: Refusal: TWO_PERSONS_REQUIRED."""
        require_above_threshold(await self.own_party(), self.persons, currency, amount_minor)

    async def issue_limit_minor(self, deposit: str) -> int:
        """How much the issuer of a deposit kind may owe in it, in minor units: its limit, less what others are short.

        An issue that is taken back after it was spent has left its money in somebody's hands.
        """
        issuer = await self.party(deposit_issuer(deposit))
        limit = issuer.issue_limits.get(deposit_currency(deposit), 0) if issuer else 0
        short = await self.read_range(Account, keys.shortfalls(deposit))
        return limit + sum(account.balance_minor for account in short)

    async def post(self, movement: Movement) -> None:
        """Carry out a movement and write its entry.

        Raises: Refusal: COMMAND_ID_REUSED, FROZEN, FUNDS_MISSING, ISSUE_LIMIT_EXCEEDED, BALANCE_EXCEEDS.
        """
        await self._require_no_entries()
        if movement.credit.startswith("cash:"):
            suspense = keys.cash_account(movement.unit, movement.credit.replace("cash:", "suspense:", 1))
            require_unfrozen(await self.read(Account, suspense), movement)
        account_keys = movement.account_keys()
        accounts = await self.read_many(Account, account_keys)
        limit = await self.issue_limit_minor(movement.unit) if movement.credit.startswith("issued:") else 0
        moved = move(dict(zip(account_keys, accounts, strict=True)), movement, limit)
        for key, account in moved.items():
            self._write_money(key, await self._guarded(key, account) if movement.book == "cash" else account)
        entry = Entry(
            book=movement.book,
            unit=movement.unit,
            invoice_id=movement.invoice_id,
            debit=movement.debit,
            credit=movement.credit,
            amount_minor=movement.amount_minor,
            step=movement.step,
            command_id=self.command_id,
            transaction_id=self.transaction_id,
            day=self.day,
            command_number=self._number,
        )
        self._write_money(keys.entry(self.sender, self.command_id, self._entries), entry)
        self._entries += 1

    async def _require_no_entries(self) -> None:
        """Require, before the first movement, that no command of the same id has moved money: entries are never lost.

        Any other id has a record. One that is made of its command can be made of two by who tries 2^48 of them.
        Raises: Refusal: COMMAND_ID_REUSED.
        """
        if self._entries or not proves_itself(self.command_id):
            return
        if await self.exists(keys.entry(self.sender, self.command_id, 0)):
            raise Refusal(RefusalCode.COMMAND_ID_REUSED, "another command of this id has moved money")

    def _write_money(self, key: str, record: Account | Entry) -> None:
        """Set a record of money, read back first: what nobody could read would stop every node. Raises: RecordError."""
        data = encode(record)
        decode(type(record), data)
        self._stub.put_state(key, data)

    async def _guarded(self, key: str, account: Account) -> Account:
        """The account with its key guarded: anew whenever a party has joined, since a majority is more peers then."""
        parties = await self.all_parties()
        if account.guard_parties == len(parties):
            return account
        self._stub.set_key_endorsers(key, *guard(account, parties))
        return replace(account, guard_parties=len(parties))
