"""Rules of agreement keys: which one of a party's counts on which day, and for which invoices a pair's key is used.

Two parties that both have one share a secret that nobody else can compute: the `amount` fingerprint of invoices between
them is keyed by it. The day on which an invoice was issued decides by which keys, never the day of its registration:
whoever registers it a second time, whenever that is, has to make the same fingerprint. So no key may come to count for
a day that an invoice may bear already. Must never compute a secret: the ledger knows public keys alone.
Source: RFC 7748 (X25519).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import add_days
from chaincode.records import Party, bodies
from chaincode.records.fields import YEAR_MIN
from chaincode.records.parties import AGREEMENT_KEYS_MAX, AgreementKey
from chaincode.words import when

FIRST_DAY = f"{YEAR_MIN}-01-01"
"""From when a key counts that a party is listed with: there is no invoice of that party yet."""
ISSUE_DAYS_AHEAD = 1
"""So many days after the ledger's own may an invoice be issued: where the supplier is it may be tomorrow."""
_PRIME = 2**255 - 19
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""The points of order 1, 2, 4 and 8, of the curve and of its twist: with them every secret is zero."""


def key_on(named: Sequence[AgreementKey], date: str) -> str:
    """Which of a party's public keys, in the order of their days, is that of a day; empty where it had none yet."""
    return next((one.key for one in reversed(named) if one.from_day <= date), "")


def is_of_pair(supplier: Party, buyer: Party, issue_date: str) -> bool:
    """Whether the amount of what was issued on a day between the two is told by the key of their own."""
    return bool(key_on(supplier.agreement_keys, issue_date) and key_on(buyer.agreement_keys, issue_date))


def is_settled(issue_date: str, day: str) -> bool:
    """Whether no key can come to count any more for what was issued on a day, on a day of the ledger."""
    return issue_date <= add_days(day, ISSUE_DAYS_AHEAD)


def require_settled(supplier: Party, buyer: Party, issue_date: str, day: str) -> None:
    """Require of an invoice between parties with agreement keys that its key can no longer become another one.

    Args:
        supplier: as it is now, with keys that count later.
        buyer: as the supplier.
        issue_date: of the invoice.
        day: the ledger's.

    Raises: Refusal: ISSUE_DATE_LATER.
    """
    if (supplier.agreement_keys or buyer.agreement_keys) and not is_settled(issue_date, day):
        text = f"it is issued {when(issue_date, day)}: between parties with agreement keys that is too far ahead"
        raise Refusal(RefusalCode.ISSUE_DATE_LATER, text)


def first_day(day: str, proposal_date: str) -> str:
    """The first day that no invoice can bear that is registered so far: from then on a new key may count."""
    return add_days(max(day, proposal_date), ISSUE_DAYS_AHEAD + 1)


def listed(key: str) -> tuple[AgreementKey, ...]:
    """The keys of a party as it is listed: one that it is listed with counts for whatever it has issued, if any."""
    return (AgreementKey(key, FIRST_DAY),) if key else ()


def require_own_key(
    code: RefusalCode, party: bodies.FoundingParty, others: Iterable[bodies.FoundingParty | Party]
) -> None:
    """Require of the key that a party is listed with, if any, that it is a good one and nobody else's.

    Raises: Refusal: `code`.
    """
    fault = _fault(party.agreement_key, others) if party.agreement_key else ""
    if fault:
        raise Refusal(code, f"the agreement key of {party.msp_id}: {fault}")


def change_key(party: Party, others: Iterable[Party], key: str, day: str, proposal_date: str) -> Party:
    """Name another public key to agree on secrets with; the one before counts until then, for all that was issued.

    Args:
        party: whose key it is.
        others: all other parties.
        key: X25519, 64 hex digits, little-endian.
        day: the ledger's.
        proposal_date: of the transaction, UTC.

    Raises: Refusal: AGREEMENT_KEY_INVALID, AGREEMENT_KEYS_EXHAUSTED.
    """
    fault = _fault(key, (party, *others))
    if fault:
        raise Refusal(RefusalCode.AGREEMENT_KEY_INVALID, fault)
    used = tuple(one for one in party.agreement_keys if is_settled(one.from_day, day))
    if len(used) >= AGREEMENT_KEYS_MAX:
        text = f"{party.msp_id} has had {AGREEMENT_KEYS_MAX} keys, and none of them can be forgotten"
        raise Refusal(RefusalCode.AGREEMENT_KEYS_EXHAUSTED, text)
    return replace(party, agreement_keys=(*used, AgreementKey(key, first_day(day, proposal_date))))


def _fault(key: str, parties: Iterable[bodies.FoundingParty | Party]) -> str:
    """Why a key is taken from nobody, or not now; empty where it is."""
    point = int.from_bytes(bytes.fromhex(key), "little")
    if point >= _PRIME:
        return "it is not the canonical form of an X25519 key"
    if point in _SMALL_ORDER:
        return "it is a point of small order, whose secrets are everybody's"
    if any(key in _keys(party) for party in parties):
        return "a party has named this key before"
    return ""


def _keys(party: bodies.FoundingParty | Party) -> list[str]:
    if isinstance(party, Party):
        return [one.key for one in party.agreement_keys]
    return [party.agreement_key]
