"""Commands of the membership and of the day."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.records import Day, Founding, Party, bodies, keys
from chaincode.rules import parties


async def found_consortium(context: Context, body: bodies.FoundConsortium) -> Result:
    """Propose the first parties."""
    existing = await context.read(Founding, keys.FOUNDING)
    founding, proposed = parties.found(existing, context.sender, body)
    for msp_id in existing.parties if existing else ():
        context.delete(keys.party(msp_id))
    for party in proposed:
        context.write(keys.party(party.msp_id), party)
    context.write(keys.FOUNDING, founding)
    return {"digest": founding.digest}


async def confirm_founding(context: Context, body: bodies.ConfirmFounding) -> Result:
    """Confirm the founding; the last confirmation makes every party active."""
    existing = await context.read(Founding, keys.FOUNDING)
    founding = parties.confirm(existing, context.sender, body.digest)
    if founding.active:
        listed = [keys.party(msp_id) for msp_id in founding.parties]
        for key, party in zip(listed, await context.read_many(Party, listed), strict=True):
            assert party is not None, f"{key} was written with the founding"
            context.write(key, replace(party, status="active"))
    context.write(keys.FOUNDING, founding)
    return {"active": founding.active}


async def open_day(context: Context, body: bodies.OpenDay) -> Result:
    """Move the ledger's day forward."""
    day = parties.open_day(await context.read(Day, keys.DAY), body.date, context.proposal_date)
    context.write(keys.DAY, day)
    return {"date": day.date}
