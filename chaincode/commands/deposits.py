"""Commands of deposit money: issuing, reversing, moving, redeeming."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.money import deposit_currency
from chaincode.records import Account, BookedCredit, IssuedDeposit, Redemption, bodies, keys
from chaincode.rules import books, deposits


async def issue_deposit(context: Context, body: bodies.IssueDeposit) -> Result:
    """Issue deposit money."""
    await context.require_two_persons()
    credit_key = keys.booked_credit(context.sender, body.credit_reference)
    credit_used = await context.exists(credit_key)
    alike = body.deposit, body.reference_fingerprint, body.to, body.amount_minor
    looks_used = await _looks_used(context, "credit", *alike, body.booked_on)
    to = await context.party(body.to)
    await context.post(deposits.issue(credit_used, looks_used, to, context.sender, body, context.latest_date))
    issued = IssuedDeposit(
        deposit=body.deposit,
        to=body.to,
        amount_minor=body.amount_minor,
        day=context.day,
        reference_fingerprint=body.reference_fingerprint,
        booked_on=body.booked_on,
    )
    context.write(credit_key, BookedCredit(issued))
    if body.reference_fingerprint:
        context.mark(keys.bank_entry("credit", *alike, body.booked_on, body.credit_reference))
    return {"deposit": body.deposit, "to": body.to, "amount_minor": body.amount_minor}


async def reverse_issue(context: Context, body: bodies.ReverseIssue) -> Result:
    """Take back what was issued; what its party has spent already is a shortfall that freezes it."""
    await context.require_two_persons()
    key = keys.booked_credit(context.sender, body.credit_reference)
    credit = await context.read(BookedCredit, key)
    account = None
    if credit and credit.issued:
        holder = keys.cash_account(credit.issued.deposit, f"cash:{credit.issued.to}")
        account = await context.read(Account, holder)
    after, issued, covered = deposits.reverse(credit, account, body)
    shortfall = issued.amount_minor - covered
    for name, amount_minor in ((f"cash:{issued.to}", covered), (f"suspense:{issued.to}", shortfall)):
        if amount_minor:
            await context.post(
                books.transfer(issued.deposit, f"issued:{context.sender}", name, amount_minor, "reverse_issue")
            )
    context.write(key, after)
    if issued.reference_fingerprint:  # what is taken back looks like nothing: the credit may be booked rightly now
        alike = issued.deposit, issued.reference_fingerprint, issued.to, issued.amount_minor
        context.delete(keys.bank_entry("credit", *alike, issued.booked_on, body.credit_reference))
    return {"taken_minor": covered, "shortfall_minor": shortfall}


async def _looks_used(
    context: Context, side: str, deposit: str, reference: str, party: str, amount_minor: int, day: str
) -> bool:
    """Whether the issuer's bank has an entry that looks like this one; of an unknown reference nothing does."""
    bounds = keys.bank_entries(side, deposit, reference, party, amount_minor, *deposits.alike_days(day))
    return bool(reference and await context.read_index(bounds, limit=1))


async def cover_shortfall(context: Context, body: bodies.CoverShortfall) -> Result:
    """Cover a shortfall, or a part of it."""
    name = f"suspense:{context.sender}"
    shortfall = await context.read(Account, keys.cash_account(body.deposit, name))
    await context.post(deposits.cover(shortfall, context.sender, body))
    return {"deposit": body.deposit, "amount_minor": body.amount_minor}


async def transfer_deposit(context: Context, body: bodies.TransferDeposit) -> Result:
    """Move deposit money to another party."""
    movement = deposits.transfer(await context.party(body.to), context.sender, body)
    await context.require_two_persons_above(deposit_currency(body.deposit), body.amount_minor)
    await context.post(movement)
    return {"deposit": body.deposit, "to": body.to, "amount_minor": body.amount_minor}


async def redeem_deposit(context: Context, body: bodies.RedeemDeposit) -> Result:
    """Ask for deposit money to be paid out."""
    key = keys.redemption(body.redemption_id)
    existing = await context.read(Redemption, key)
    redemption, movement = deposits.redeem(existing, await context.own_party(), body, context.day)
    await context.require_two_persons_above(deposit_currency(body.deposit), body.amount_minor)
    await context.post(movement)
    context.write(key, redemption)
    return {"redemption_id": body.redemption_id}


async def confirm_redemption(context: Context, body: bodies.ConfirmRedemption) -> Result:
    """Say that a redemption is paid out."""
    key = keys.redemption(body.redemption_id)
    before, reference = await context.read(Redemption, key), body.reference_fingerprint
    alike = (before.deposit, reference, before.party, before.amount_minor) if before else ("", "", "", 0)
    looks_used = await _looks_used(context, "payment", *alike, context.day)
    redemption, movement = deposits.confirm(before, looks_used, context.sender, body)
    if body.again:
        await context.require_two_persons()
    await context.post(movement)
    context.write(key, redemption)
    if reference:
        context.mark(keys.bank_entry("payment", *alike, context.day, body.redemption_id))
    return {"redemption_id": body.redemption_id, "status": redemption.status}


async def reject_redemption(context: Context, body: bodies.RejectRedemption) -> Result:
    """Give deposit money back that cannot be paid out."""
    key = keys.redemption(body.redemption_id)
    redemption, movement = deposits.reject(await context.read(Redemption, key), context.sender, body.redemption_id)
    await context.post(movement)
    context.write(key, redemption)
    return {"redemption_id": body.redemption_id, "status": redemption.status}
