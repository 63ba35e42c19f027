"""Rules of persons: who acts for a party, and when two of them must.

A party decides itself whether it has persons. From its second one on, and with no way back, two different ones must
stand behind what binds it (whom it accepts, its offers, limits and accounts, what it issues or writes off), and behind
what it undertakes, gives away or funds by hand above its own threshold, 0 where none is set. One is enough for what is
paid to whom the ledger shows as owed, and an offer that two have opened pays by itself. Their signatures stay in the
transaction; whoever holds a person's certificate can check them, the contract cannot: it compares commitments. Must
never see a name or a certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Invoice, Party, Person, bodies
from chaincode.records.parties import PendingThreshold
from chaincode.rules.facilities import require_currency

PERSONS_MIN = 2
"""How many active persons a party under four eyes keeps."""


def require_known(named: Sequence[str], found: Sequence[Person | None]) -> None:
    """Require that all persons who are said to stand behind a command act for the sender.

    Args:
        named: their commitments.
        found: what stands under them among the sender's persons, in their order.

    Raises: Refusal: PERSON_UNKNOWN.
    """
    for commitment, person in zip(named, found, strict=True):
        if person is None or person.status != "active":
            raise Refusal(RefusalCode.PERSON_UNKNOWN, f"{commitment} is no active person of the sender's")


def require_two_persons(party: Party, persons: Sequence[str]) -> None:
    """Require two persons of a party that is under four eyes; of another one nothing is asked.

    Args:
        party: the sender.
        persons: commitments of the different active persons who stand behind the command.

    Raises: Refusal: TWO_PERSONS_REQUIRED.
    """
    if party.four_eyes and len(persons) < PERSONS_MIN:
        text = f"{party.msp_id} is under four eyes: two persons must sign, not {len(persons)}"
        raise Refusal(RefusalCode.TWO_PERSONS_REQUIRED, text)


def require_above_threshold(party: Party, persons: Sequence[str], currency: str, amount_minor: int) -> None:
    """Require two persons for an amount above the party's own threshold in that currency, 0 where it has set none.

    Raises: Refusal: TWO_PERSONS_REQUIRED.
    """
    if amount_minor > party.four_eyes_above.get(currency, 0):
        require_two_persons(party, persons)


def require_for_approval(
    party: Party, persons: Sequence[str], body: bodies.ApproveInvoice, invoice: Invoice | None
) -> None:
    """Require two persons for an approval above the party's threshold, and for any that says more than its document.

    That is one of what may be another's duplicate, or whose due date only its supplier states.

    Args:
        invoice: what stands under the body's invoice id.

    Raises: Refusal: TWO_PERSONS_REQUIRED.
    """
    if invoice is not None and (invoice.duplicate_of or invoice.facts.predecessors or invoice.stated_due_date):
        require_two_persons(party, persons)
    require_above_threshold(party, persons, body.currency, body.amount_minor)


def enrol(
    party: Party, existing: Person | None, persons: Sequence[str], commitment: str, day: str
) -> tuple[Party, Person]:
    """Let a person act for a party. With the second one the party is under four eyes, for ever.

    Raises: Refusal: TWO_PERSONS_REQUIRED, PERSON_ENROLLED.
    """
    require_two_persons(party, persons)
    if existing is not None:
        raise Refusal(RefusalCode.PERSON_ENROLLED, f"{commitment} is or was a person of {party.msp_id}'s")
    active = party.active_persons + 1
    enrolled = replace(party, active_persons=active, four_eyes=party.four_eyes or active >= PERSONS_MIN)
    return enrolled, Person(party.msp_id, commitment, "active", day)


def retire(party: Party, person: Person | None, persons: Sequence[str], commitment: str) -> tuple[Party, Person]:
    """Let a person no longer act for a party.

    Raises: Refusal: TWO_PERSONS_REQUIRED, PERSON_UNKNOWN, LAST_PERSONS.
    """
    require_two_persons(party, persons)
    require_known([commitment], [person])
    assert person is not None, "it is known"
    if party.four_eyes and party.active_persons <= PERSONS_MIN:
        raise Refusal(RefusalCode.LAST_PERSONS, f"{party.msp_id} must keep {PERSONS_MIN} persons: enrol another first")
    return replace(party, active_persons=party.active_persons - 1), replace(person, status="retired")


def set_threshold(party: Party, persons: Sequence[str], body: bodies.SetFourEyesThreshold, from_day: str) -> Party:
    """Set up to which amount one person approves, pays out, gives away or funds, from the next day.

    Args:
        persons: the different active persons who stand behind it.
        from_day: the next day.

    Raises: Refusal: TWO_PERSONS_REQUIRED, CURRENCY_UNKNOWN.
    """
    require_two_persons(party, persons)
    require_currency(body.currency)
    pending = PendingThreshold(body.amount_minor, from_day)
    return replace(party, pending_four_eyes_above=party.pending_four_eyes_above | {body.currency: pending})
