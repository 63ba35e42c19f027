"""The contract: the table of all commands, and what is required of every one before its own rules are asked.

The common order of refusals is MALFORMED, COMMAND_ID_REUSED, NOT_FOUNDED, PARTY_NOT_ACTIVE, ROLE_MISSING,
DAY_NOT_OPEN, PERSON_UNKNOWN, then those of the command. Must never write anything but through a command's overlay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from chaincode.commands import (
    credit_notes,
    deposits,
    disputes,
    evidence,
    financing,
    funding,
    invoices,
    membership,
    reports,
    seals,
    settlement,
)
from chaincode.commands import persons as people
from chaincode.commands.context import Context, Result
from chaincode.commands.release import check, check_offer
from chaincode.errors import RecordError, Refusal, RefusalCode
from chaincode.records import (
    Command,
    Day,
    Founding,
    Invoice,
    Party,
    Person,
    bodies,
    decode,
    encode,
    from_body,
    from_plain,
    keys,
)
from chaincode.records.codec import parse_json
from chaincode.records.command_ids import command_digest, id_of_content, proves_itself
from chaincode.rules.parties import current, require_founded, require_sender
from chaincode.rules.persons import require_known
from chaincode.rules.quotes import describe_paid_quote, describe_quote, no_quote
from chaincode.rules.release import describe, describe_paid
from chaincode.stub import Stub


class Needs(Enum):
    """What must stand on the ledger before a command is looked at."""

    NOTHING = 0
    FOUNDING = 1
    DAY = 2


@dataclass(frozen=True, slots=True)
class CommandType:
    """One type of command: its body, the function that runs it, who may send it, its needs.

    `role` is empty where any party may send it. `standing` are the sender's statuses that will do, ANYBODY where it
    need not be a party: a suspended one may still do what it owes others, whatever its roles are by then.
    `first_result` tells what a command of which no record is kept was answered, from what it has written, None if it
    was never applied; only types that have it may have ids that are made of their content.
    """

    body: type[Any]
    run: Callable[[Context, Any], Awaitable[Result]]
    role: str = ""
    needs: Needs = Needs.DAY
    standing: tuple[str, ...] = ("active",)
    first_result: Callable[[Context, Any], Awaitable[Result | None]] | None = None


OWED = ("active", "suspended")
"""The standing that suffices for what a party owes others; no role is asked then, since a debt outlives it."""
ANYBODY: tuple[str, ...] = ()
"""No standing is needed: whoever is on the channel may send it."""


COMMANDS = {
    "FoundConsortium": CommandType(bodies.FoundConsortium, membership.found_consortium, needs=Needs.NOTHING),
    "ConfirmFounding": CommandType(bodies.ConfirmFounding, membership.confirm_founding, needs=Needs.NOTHING),
    "OpenDay": CommandType(bodies.OpenDay, membership.open_day, needs=Needs.FOUNDING),
    "ProposeParty": CommandType(bodies.ProposeParty, membership.propose_party),
    "SuspendParty": CommandType(bodies.SuspendParty, membership.suspend_party),
    "ReinstateParty": CommandType(bodies.ReinstateParty, membership.reinstate_party),
    "ChangeRoles": CommandType(bodies.ChangeRoles, membership.change_roles),
    "ChangeIdentities": CommandType(bodies.ChangeIdentities, membership.change_identities),
    "VoteMembership": CommandType(bodies.VoteMembership, membership.vote_membership),
    "WithdrawVote": CommandType(bodies.WithdrawVote, membership.withdraw_vote),
    "ActivateParty": CommandType(bodies.ActivateParty, membership.activate_party, standing=ANYBODY),
    "ChangePeerUrl": CommandType(bodies.ChangePeerUrl, membership.change_peer_url),
    "ChangePayoutAccount": CommandType(bodies.ChangePayoutAccount, membership.change_payout_account),
    "ChangeAgreementKey": CommandType(bodies.ChangeAgreementKey, membership.change_agreement_key),
    "EnrolPerson": CommandType(bodies.EnrolPerson, people.enrol_person),
    "RetirePerson": CommandType(bodies.RetirePerson, people.retire_person),
    "SetFourEyesThreshold": CommandType(bodies.SetFourEyesThreshold, people.set_four_eyes_threshold),
    "RegisterDocument": CommandType(bodies.RegisterDocument, evidence.register_document),
    "AttestDocument": CommandType(bodies.AttestDocument, evidence.attest_document),
    "SealDocuments": CommandType(bodies.SealDocuments, seals.seal_documents),
    "RevokeDocument": CommandType(bodies.RevokeDocument, evidence.revoke_document),
    "RegisterShipment": CommandType(bodies.RegisterShipment, evidence.register_shipment, "supplier"),
    "AcceptCarrier": CommandType(bodies.AcceptCarrier, evidence.accept_carrier, "buyer"),
    "RecordShipmentEvent": CommandType(
        bodies.RecordShipmentEvent, reports.record_shipment_event, first_result=reports.first_result_of_event
    ),
    "RecordShipmentEvents": CommandType(
        bodies.RecordShipmentEvents, reports.record_shipment_events, first_result=reports.first_result_of_events
    ),
    "WithdrawShipmentEvent": CommandType(bodies.WithdrawShipmentEvent, reports.withdraw_shipment_event),
    "AcceptSupplier": CommandType(bodies.AcceptSupplier, financing.accept_supplier, "financier"),
    "OpenFacility": CommandType(bodies.OpenFacility, financing.open_facility, "financier"),
    "ChangeFacility": CommandType(bodies.ChangeFacility, financing.change_facility, "financier"),
    "SuspendFacility": CommandType(bodies.SuspendFacility, financing.suspend_facility, "financier"),
    "ResumeFacility": CommandType(bodies.ResumeFacility, financing.resume_facility, "financier"),
    "CloseFacility": CommandType(bodies.CloseFacility, financing.close_facility, "financier"),
    "HoldFunding": CommandType(bodies.HoldFunding, financing.hold_funding, "financier"),
    "LiftHold": CommandType(bodies.LiftHold, financing.lift_hold, "financier"),
    "SetBuyerLimit": CommandType(bodies.SetBuyerLimit, financing.set_buyer_limit, "financier"),
    "RegisterInvoice": CommandType(bodies.RegisterInvoice, invoices.register_invoice, "supplier"),
    "ApproveInvoice": CommandType(bodies.ApproveInvoice, invoices.approve_invoice, "buyer"),
    "RequestEarlyPayment": CommandType(bodies.RequestEarlyPayment, financing.request_early_payment, "supplier"),
    "CheckRelease": CommandType(bodies.CheckRelease, financing.check_release),
    "FundInvoice": CommandType(bodies.FundInvoice, funding.fund_invoice, "financier"),
    "PostFunding": CommandType(bodies.PostFunding, funding.post_funding, "financier"),
    "VoidFunding": CommandType(bodies.VoidFunding, funding.void_funding, "financier"),
    "ExpireFunding": CommandType(bodies.ExpireFunding, funding.expire_funding),
    "DeclineEarlyPayment": CommandType(bodies.DeclineEarlyPayment, funding.decline_early_payment, "financier"),
    "AcknowledgeAssignment": CommandType(bodies.AcknowledgeAssignment, invoices.acknowledge_assignment, standing=OWED),
    "IssueDeposit": CommandType(bodies.IssueDeposit, deposits.issue_deposit, "issuer"),
    "ReverseIssue": CommandType(bodies.ReverseIssue, deposits.reverse_issue, "issuer"),
    "CoverShortfall": CommandType(bodies.CoverShortfall, deposits.cover_shortfall, standing=OWED),
    "TransferDeposit": CommandType(bodies.TransferDeposit, deposits.transfer_deposit),
    "RedeemDeposit": CommandType(bodies.RedeemDeposit, deposits.redeem_deposit, standing=OWED),
    "ConfirmRedemption": CommandType(bodies.ConfirmRedemption, deposits.confirm_redemption, standing=OWED),
    "RejectRedemption": CommandType(bodies.RejectRedemption, deposits.reject_redemption, standing=OWED),
    "SettleInvoice": CommandType(bodies.SettleInvoice, settlement.settle_invoice, standing=OWED),
    "WithdrawApproval": CommandType(bodies.WithdrawApproval, disputes.withdraw_approval, "buyer"),
    "DisputeInvoice": CommandType(bodies.DisputeInvoice, disputes.dispute_invoice, "buyer"),
    "ResolveDispute": CommandType(bodies.ResolveDispute, disputes.resolve_dispute, "buyer"),
    "CancelInvoice": CommandType(bodies.CancelInvoice, disputes.cancel_invoice, "supplier"),
    "SplitInvoice": CommandType(bodies.SplitInvoice, disputes.split_invoice, "supplier"),
    "ClearDuplicate": CommandType(bodies.ClearDuplicate, disputes.clear_duplicate, "buyer"),
    "RecordCreditNote": CommandType(bodies.RecordCreditNote, credit_notes.record_credit_note, "supplier"),
    "PayClaim": CommandType(bodies.PayClaim, credit_notes.pay_claim, standing=OWED),
    "ReportMisdirectedPayment": CommandType(
        bodies.ReportMisdirectedPayment, credit_notes.report_misdirected_payment, standing=OWED
    ),
    "RecordPaidOutside": CommandType(bodies.RecordPaidOutside, settlement.record_paid_outside, standing=OWED),
    "OfferDiscount": CommandType(bodies.OfferDiscount, settlement.offer_discount, "supplier"),
    "PayEarly": CommandType(bodies.PayEarly, settlement.pay_early, "buyer"),
    "ExtendDueDate": CommandType(bodies.ExtendDueDate, settlement.extend_due_date),
    "MarkOverdue": CommandType(bodies.MarkOverdue, settlement.mark_overdue),
    "WriteOff": CommandType(bodies.WriteOff, settlement.write_off),
    "RecordRecovery": CommandType(bodies.RecordRecovery, settlement.record_recovery, standing=OWED),
    "Repurchase": CommandType(bodies.Repurchase, funding.repurchase, standing=OWED),
    "Unwind": CommandType(bodies.Unwind, funding.unwind),
}


@dataclass(frozen=True, slots=True)
class Submitted:
    """A command as it came in: its envelope has been checked; `persons` are commitments, each once."""

    command_id: str
    type: str
    body: dict[str, Any]
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readable:
    """A command whose body has the form that its type asks for."""

    submitted: Submitted
    type: CommandType
    body: Any


def read_command(command: Submitted) -> Readable:
    """Read a command's body, whatever stands on the ledger. Raises: Refusal: MALFORMED."""
    known = COMMANDS.get(command.type)
    if known is None:
        raise Refusal(RefusalCode.MALFORMED, f"there is no command type {command.type[:40]!r}")
    try:
        return Readable(command, known, from_body(known.body, command.body))
    except RecordError as error:
        raise Refusal(RefusalCode.MALFORMED, str(error)) from error


async def run_command(stub: Stub, command: Readable, number: int) -> tuple[bool, Result]:
    """Run one command.

    Args:
        stub: an overlay; its writes are to be dropped if this raises.
        command: as it was read.
        number: its place among the commands of the transaction, from 0.

    Returns: whether it was applied just now (False: it had been before), and its first result.
    Raises: Refusal: as `docs/reference/commands.md` lists them. RecordError: the state cannot be read.
    """
    came, known, persons = command.submitted, command.type, command.submitted.persons
    digest = command_digest(came.type, came.body)
    before = await _first_result(stub, command, digest)
    if before is not None:
        return False, before
    context = Context(stub, came.command_id, await _require_common(stub, known), persons, number)
    require_known(persons, await context.read_many(Person, [keys.person(stub.msp_id, one) for one in persons]))
    result = await known.run(context, command.body)
    if not proves_itself(came.command_id):
        stub.put_state(keys.command(stub.msp_id, came.command_id), encode(Command(digest, result)))
    return True, result


async def _first_result(stub: Stub, command: Readable, digest: str) -> Result | None:
    """What a command of that id was answered before, None if there was none.

    Raises: Refusal: COMMAND_ID_REUSED.
    """
    command_id, first_result = command.submitted.command_id, command.type.first_result
    context = Context(stub, command_id, "", digest=digest)
    if not proves_itself(command_id):
        return await context.kept_result()
    if first_result is None or command_id != id_of_content(digest):
        raise Refusal(RefusalCode.COMMAND_ID_REUSED, "this id is made of what another command says")
    return await first_result(context, command.body)


async def _require_common(stub: Stub, command_type: CommandType) -> str:
    """Check what every command of its kind requires, and give the ledger's day."""
    if command_type.needs is Needs.NOTHING:
        return ""
    sender_key = keys.party(stub.msp_id)
    founding, day, sender = await stub.get_states([keys.FOUNDING, keys.DAY, sender_key])
    require_founded(decode(Founding, founding) if founding else None)
    date = decode(Day, day).date if day else ""
    party = current(decode(Party, sender), date, stub.timestamp) if sender else None
    if command_type.standing:
        require_sender(party, stub.msp_id, command_type.role, command_type.standing)
    if day is None and command_type.needs is Needs.DAY:
        raise Refusal(RefusalCode.DAY_NOT_OPEN, "no day has been opened yet")
    return date


async def run_query(stub: Stub, query: dict[str, Any]) -> Result | None:
    """Answer a query; nothing is written.

    Args:
        stub: the ledger.
        query: {"type": "ReleaseCheck", "invoice_id"}, {"type": "Quote", "invoice_id", "facility_id"} or
            {"type": "Record", "key"}.

    Returns: the release check, the quote, or the record as plain data; None where there is no such invoice or record.
    Raises: Refusal: MALFORMED.
    """
    try:
        match query.get("type"):
            case "Record":
                return await _query_record(stub, from_plain(bodies.RecordQuery, query))
            case "Quote":
                return await _query_quote(stub, from_plain(bodies.QuoteQuery, query))
            case "ReleaseCheck":
                return await _query_release(stub, from_plain(bodies.ReleaseCheckQuery, query))
            case other:
                text = f"there is no query type {str(other)[:40]!r}, but Quote, Record and ReleaseCheck"
                raise Refusal(RefusalCode.MALFORMED, text)
    except RecordError as error:
        raise Refusal(RefusalCode.MALFORMED, str(error)) from error


async def _query_record(stub: Stub, query: bodies.RecordQuery) -> Result | None:
    data = await stub.get_state(query.key)
    return None if data is None else parse_json(data)


async def _query_release(stub: Stub, query: bodies.ReleaseCheckQuery) -> Result | None:
    context = await _query_context(stub)
    invoice = await context.read(Invoice, keys.invoice(query.invoice_id))
    if invoice is None:
        return None
    if invoice.early_payment:
        return describe_paid(invoice, invoice.early_payment.facility_id, invoice.early_payment.transaction_id)
    return describe(invoice, await check(context, invoice))


async def _query_quote(stub: Stub, query: bodies.QuoteQuery) -> Result | None:
    context = await _query_context(stub)
    invoice = await context.read(Invoice, keys.invoice(query.invoice_id))
    if invoice is None:
        return None
    if invoice.early_payment:
        return describe_paid_quote(invoice)
    facility_id = query.facility_id or (invoice.reservation.facility_id if invoice.reservation else "")
    if not facility_id:
        return describe_quote(invoice, await check(context, invoice), context.day)
    if not await context.exists(keys.facility(facility_id)):
        return no_quote(invoice, RefusalCode.FACILITY_UNKNOWN.value, f"there is no facility {facility_id}")
    return describe_quote(invoice, await check_offer(context, invoice, facility_id), context.day)


async def _query_context(stub: Stub) -> Context:
    day = await stub.get_state(keys.DAY)
    return Context(stub, "", decode(Day, day).date if day else "")
