"""Commands of persons: who acts for the sender, and from which amount on two must."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.records import Person, bodies, keys
from chaincode.rules import persons


async def enrol_person(context: Context, body: bodies.EnrolPerson) -> Result:
    """Let a person act for the sender."""
    key = keys.person(context.sender, body.commitment)
    own, existing = await context.own_party(), await context.read(Person, key)
    party, person = persons.enrol(own, existing, context.persons, body.commitment, context.day)
    context.write(keys.party(context.sender), party)
    context.write(key, person)
    return {"four_eyes": party.four_eyes}


async def retire_person(context: Context, body: bodies.RetirePerson) -> Result:
    """Let a person no longer act for the sender."""
    key = keys.person(context.sender, body.commitment)
    own, existing = await context.own_party(), await context.read(Person, key)
    party, person = persons.retire(own, existing, context.persons, body.commitment)
    context.write(keys.party(context.sender), party)
    context.write(key, person)
    return {"active_persons": party.active_persons}


async def set_four_eyes_threshold(context: Context, body: bodies.SetFourEyesThreshold) -> Result:
    """Let one person approve, pay out, give away or fund up to an amount, from the next day."""
    party = persons.set_threshold(await context.own_party(), context.persons, body, context.next_day)
    context.write(keys.party(context.sender), party)
    return {"from_day": party.pending_four_eyes_above[body.currency].from_day}
