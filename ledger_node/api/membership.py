"""Changes of the membership: proposed, voted on, consented to; and what a party changes of itself."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.context import current_node
from ledger_node.api.parties import PARTY_EXAMPLE, PartyIn, PartyRole, founding_party, issue_limits_minor
from ledger_node.api.wire import AmountText, Currency, In, Msp, Nothing, Text, Url
from ledger_node.api.writes import Answer, fresh_id, submit, writes
from ledger_node.formats import fingerprints

routes = APIBlueprint("membership", __name__, tag="Consortium")


class AdmissionIn(In):
    """The party to be admitted, in full; it must consent to just this."""

    party: PartyIn


class MemberIn(In):
    """A party."""

    msp_id: Msp


class RolesIn(MemberIn):
    """What the party may do from the day after the vote that passes it."""

    roles: list[PartyRole] = Field(min_length=1, max_length=5)
    issue_limits: dict[Currency, AmountText] = Field(default_factory=dict, max_length=50)


class PeerUrlIn(In):
    """Where the other nodes reach the own one."""

    peer_url: Url


class PayoutAccountIn(In):
    """The account to be paid to; it goes to the ledger as a keyed fingerprint only."""

    payout_account: Text


@routes.post("/v1/membership-changes/admissions")
@writes(routes, "operator", AdmissionIn, {"party": PARTY_EXAMPLE})
def propose_party(body: AdmissionIn) -> Answer:
    """Ask for the admission of a party, which is the first vote for it."""
    return _propose("ProposeParty", {"party": founding_party(body.party)})


@routes.post("/v1/membership-changes/suspensions")
@writes(routes, "operator", MemberIn)
def suspend_party(body: MemberIn) -> Answer:
    """Ask for the suspension of another party."""
    return _propose("SuspendParty", body.model_dump())


@routes.post("/v1/membership-changes/reinstatements")
@writes(routes, "operator", MemberIn)
def reinstate_party(body: MemberIn) -> Answer:
    """Ask for a suspended party to be active again."""
    return _propose("ReinstateParty", body.model_dump())


@routes.post("/v1/membership-changes/role-changes")
@writes(routes, "operator", RolesIn, {"msp_id": "BankMSP", "roles": ["issuer"], "issue_limits": {"EUR": "1000000.00"}})
def change_roles(body: RolesIn) -> Answer:
    """Ask for other roles and issue limits of a party."""
    return _propose("ChangeRoles", body.model_dump() | {"issue_limits": issue_limits_minor(body.issue_limits)})


@routes.post("/v1/membership-changes/<change_id>/votes")
@writes(routes, "operator", Nothing)
def vote(change_id: str, body: Nothing) -> Answer:
    """Be for a change; the vote that passes it applies it."""
    return _about("VoteMembership", change_id)


@routes.post("/v1/membership-changes/<change_id>/vote-withdrawal")
@writes(routes, "operator", Nothing)
def withdraw_vote(change_id: str, body: Nothing) -> Answer:
    """Be no longer for a change that has not been applied."""
    return _about("WithdrawVote", change_id)


@routes.post("/v1/membership-changes/<change_id>/activation")
@writes(routes, "operator", Nothing)
def activate(change_id: str, body: Nothing) -> Answer:
    """Consent to the own admission, just as the change lists it."""
    return _about("ActivateParty", change_id)


@routes.post("/v1/parties/own/peer-url")
@writes(routes, "operator", PeerUrlIn)
def change_peer_url(body: PeerUrlIn) -> Answer:
    """Say where the other nodes reach the own one, at once."""
    return submit("ChangePeerUrl", body.model_dump(), **_own())


@routes.post("/v1/parties/own/payout-account")
@writes(routes, "operator", PayoutAccountIn, {"payout_account": "DE02120300000000202051"})
def change_payout_account(body: PayoutAccountIn) -> Answer:
    """Name another payout account; it counts from the next day and not before 24 hours."""
    fingerprint = fingerprints.account(current_node().fingerprint_key, body.payout_account)
    return submit("ChangePayoutAccount", {"payout_fingerprint": fingerprint}, **_own())


def _propose(command_type: str, command: dict[str, Any]) -> Answer:
    change_id = fresh_id("membership change")
    return _about(command_type, change_id, command, created=True)


def _about(command_type: str, change_id: str, command: dict[str, Any] | None = None, created: bool = False) -> Answer:
    resource = f"/v1/membership-changes/{change_id}"
    body = {"change_id": change_id, **(command or {})}
    return submit(command_type, body, resource=resource, record_id=change_id, created=created)


def _own() -> dict[str, Any]:
    msp_id = current_node().msp_id
    return {"resource": f"/v1/parties/{msp_id}", "record_id": msp_id}
