"""The consortium: its founding, its parties and the ledger's day.

Identifiers and accounts arrive here in clear and leave as keyed fingerprints: the ledger never sees them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import existing, listed, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import DayOut, PartiesOut, PartyAnswerOut
from ledger_node.api.shape import Plain, written
from ledger_node.api.wire import AmountText, Currency, DateText, Hex64, In, Msp, Text, Url, to_minor
from ledger_node.api.writes import Answer, submit, writes
from ledger_node.formats import fingerprints

routes = APIBlueprint("parties", __name__, tag="Consortium")

PartyRole = Literal["buyer", "carrier", "financier", "issuer", "supplier"]
GroupId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["acme-group"])]
PARTY_EXAMPLE = {
    "msp_id": "SupplierMSP",
    "name": "Supplier GmbH",
    "roles": ["supplier"],
    "group_id": "supplier",
    "peer_url": "https://127.0.0.1:8002",
    "legal_id": "DE123456789",
    "payout_account": "DE02120300000000202051",
    "issue_limits": {},
}


class PartyIn(In):
    """One party of the founding. `legal_id` is what its invoices name it by: VAT id, else legal id, else name."""

    msp_id: Msp
    name: Text
    roles: list[PartyRole] = Field(min_length=1, max_length=5)
    group_id: GroupId
    peer_url: Url
    legal_id: Text
    payout_account: Text
    issue_limits: dict[Currency, AmountText] = Field(default_factory=dict, max_length=50)


class FoundingIn(In):
    """The first parties; the founding is inert until each of them has confirmed it."""

    parties: list[PartyIn] = Field(min_length=2, max_length=50)


class ConfirmationIn(In):
    """The digest of the founding that one agrees to."""

    digest: Hex64


class DayIn(In):
    """The ledger's next day."""

    date: DateText


@routes.post("/v1/parties")
@writes(routes, "operator", FoundingIn, {"parties": [PARTY_EXAMPLE, PARTY_EXAMPLE | {"msp_id": "BuyerMSP"}]})
def found(body: FoundingIn) -> Answer:
    """Found the consortium: list its first parties."""
    return submit("FoundConsortium", {"parties": [founding_party(party) for party in body.parties]}, created=True)


@routes.post("/v1/parties/confirmation")
@writes(routes, "operator", ConfirmationIn)
def confirm(body: ConfirmationIn) -> Answer:
    """Confirm the founding with this digest, for the own organisation."""
    return submit("ConfirmFounding", {"digest": body.digest})


@routes.get("/v1/parties")
@routes.auth_required(bearer)
@routes.output(PartiesOut)
def show_parties() -> dict[str, Any]:
    """All parties, and how far the founding is."""
    readmodel, answer = current_node().readmodel, seen()
    founding = readmodel.founding()
    return {**answer, "founding": founding and written(founding), **listed(readmodel.parties())}


@routes.get("/v1/parties/<msp_id>")
@routes.auth_required(bearer)
@routes.output(PartyAnswerOut)
def show_party(msp_id: str) -> Plain:
    """One party."""
    answer = seen()
    return {**written(existing(current_node().readmodel.party(msp_id), "party", msp_id)), **answer}


@routes.post("/v1/days")
@writes(routes, "operator", DayIn, {"date": "2026-11-22"})
def open_day(body: DayIn) -> Answer:
    """Move the ledger's day forward."""
    return submit("OpenDay", {"date": body.date}, resource="/v1/days/current")


@routes.get("/v1/days/current")
@routes.auth_required(bearer)
@routes.output(DayOut)
def show_day() -> dict[str, Any]:
    """The ledger's day."""
    return {**seen(), "date": current_node().readmodel.day()}


def issue_limits_minor(limits: dict[str, str]) -> dict[str, int]:
    """Issue limits in minor units of their currencies."""
    return {currency: to_minor(limit, currency, "issue_limits") for currency, limit in limits.items()}


def founding_party(party: PartyIn) -> Plain:
    """A party as the contract takes it: identifier and account as keyed fingerprints."""
    key = current_node().fingerprint_key
    plain = party.model_dump(include={"msp_id", "name", "roles", "group_id", "peer_url"})
    return {
        **plain,
        "identity_fingerprint": fingerprints.identity(key, party.legal_id),
        "payout_fingerprint": fingerprints.account(key, party.payout_account),
        "issue_limits": issue_limits_minor(party.issue_limits),
    }
