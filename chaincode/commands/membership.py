"""Commands of the membership and of the day."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.records import Day, DayWord, Founding, MembershipChange, Party, bodies, keys
from chaincode.rules import agreement, days, membership, parties, sealing


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
    """Move the ledger's day forward, or say that it may go further than one party alone can move it."""
    before = await context.read(Day, keys.DAY)
    is_long = days.is_long_step(before, body.date)
    words = await _words(context, body.date) if is_long else []
    day = days.open_day(before, body.date, context.proposal_date, words)
    if is_long:
        context.write(keys.day_word(context.sender), DayWord(body.date))
    if day != before:
        context.write(keys.DAY, day)
    return {"date": day.date}


async def _words(context: Context, own: str) -> list[str]:
    """The latest date that each active party has asked for, the sender's `own` among them."""
    active = [party.msp_id for party in (await context.all_parties()).values() if parties.is_active(party)]
    others = [msp_id for msp_id in active if msp_id != context.sender]
    found = await context.read_many(DayWord, [keys.day_word(msp_id) for msp_id in others])
    return [own, *(word.date if word else "" for word in found)]


async def propose_party(context: Context, body: bodies.ProposeParty) -> Result:
    """Ask for the admission of a party."""
    existing, known = await _change(context, body.change_id), await context.all_parties()
    privacy = sealing.privacy_of(await context.read(Founding, keys.FOUNDING))
    return _write(context, *membership.admit(existing, known, context.sender, body, context.day, privacy))


async def suspend_party(context: Context, body: bodies.SuspendParty) -> Result:
    """Ask for the suspension of a party."""
    existing, known = await _change(context, body.change_id), await context.all_parties()
    return _write(context, *membership.suspend(existing, known, context.sender, body, context.day))


async def reinstate_party(context: Context, body: bodies.ReinstateParty) -> Result:
    """Ask for a suspended party to be active again."""
    existing, known = await _change(context, body.change_id), await context.all_parties()
    return _write(context, *membership.reinstate(existing, known, context.sender, body, context.day))


async def change_roles(context: Context, body: bodies.ChangeRoles) -> Result:
    """Ask for other roles of a party."""
    existing, known = await _change(context, body.change_id), await context.all_parties()
    days = context.day, context.next_day
    return _write(context, *membership.change_roles(existing, known, context.sender, body, *days))


async def change_identities(context: Context, body: bodies.ChangeIdentities) -> Result:
    """Ask for other identifiers of one's own."""
    existing, known = await _change(context, body.change_id), await context.all_parties()
    sender, persons = context.sender, context.persons
    return _write(context, *membership.change_identities(existing, known, sender, persons, body, context.day))


async def vote_membership(context: Context, body: bodies.VoteMembership) -> Result:
    """Be for a change; the vote that passes it applies it."""
    change, known = await _change(context, body.change_id), await context.all_parties()
    return _write(context, *membership.vote(change, known, context.sender, body.change_id, context.next_day))


async def withdraw_vote(context: Context, body: bodies.WithdrawVote) -> Result:
    """No longer be for a change."""
    change, known = await _change(context, body.change_id), await context.all_parties()
    return _write(context, membership.withdraw_vote(change, known, context.sender, body.change_id), None)


async def activate_party(context: Context, body: bodies.ActivateParty) -> Result:
    """Consent to one's own admission."""
    change, known = await _change(context, body.change_id), await context.all_parties()
    return _write(context, *membership.activate(change, known, context.sender, body.change_id))


async def change_peer_url(context: Context, body: bodies.ChangePeerUrl) -> Result:
    """Say where the sender's node is reached."""
    context.write(keys.party(context.sender), replace(await context.own_party(), peer_url=body.peer_url))
    return {"peer_url": body.peer_url}


async def change_payout_account(context: Context, body: bodies.ChangePayoutAccount) -> Result:
    """Say to which account the sender is paid from tomorrow."""
    own, seconds = await context.own_party(), context.proposal_seconds
    party = membership.change_payout(own, context.persons, body.payout_fingerprint, context.next_day, seconds)
    context.write(keys.party(context.sender), party)
    pending = party.pending_payout
    assert pending is not None, "it has just been named"
    return {"from_day": pending.from_day, "not_before_seconds": pending.not_before_seconds}


async def change_agreement_key(context: Context, body: bodies.ChangeAgreementKey) -> Result:
    """Say by which key others agree on secrets with the sender, for what is issued from a day on."""
    await context.require_two_persons()
    known = await context.all_parties()
    own = known.pop(context.sender)
    party = agreement.change_key(own, known.values(), body.agreement_key, context.day, context.proposal_date)
    context.write(keys.party(context.sender), party)
    return {"from_day": party.agreement_keys[-1].from_day}


async def _change(context: Context, change_id: str) -> MembershipChange | None:
    return await context.read(MembershipChange, keys.membership(change_id))


def _write(context: Context, change: MembershipChange, party: Party | None) -> Result:
    context.write(keys.membership(change.change_id), change)
    if party:
        context.write(keys.party(party.msp_id), party)
    return {"status": change.status}
