"""The start page: what is to be done by whoever is signed in, one list a kind of work, each row with its one act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, url_for
from werkzeug.datastructures import MultiDict

from ledger_node.api.context import current_node
from ledger_node.web.asking import Plain, ask, fresh_key
from ledger_node.web.guard import Answered
from ledger_node.web.marks import _
from ledger_node.web.signing import open_requests
from ledger_node.web.texts import page

routes = Blueprint("work", __name__)
ROWS_MAX = 20


@dataclass(frozen=True, slots=True)
class Work:
    """One list: its title, what is said when it is empty, the template of a row, and what is in it."""

    title: str
    nothing: str
    row: str
    items: list[Plain]
    total: int
    more: str = ""


@routes.get("/")
def start() -> Answered:
    """The work list."""
    return start_page(MultiDict()), 200


def start_page(typed: MultiDict[str, str]) -> str:
    """The work list, with what was ticked and typed there already."""
    own = current_node().readmodel.party(current_node().msp_id)
    kinds = set(own["roles"]) if own else set()
    lists = [work for roles, party, made in LISTS if _fits(roles, party, kinds) for work in made()]
    shown = {"lists": lists, "is_party": own is not None, "sells": "supplier" in kinds, "typed": typed}
    return page("start.html", **shown, key=fresh_key())


def _fits(roles: tuple[str, ...], party: str, kinds: set[str]) -> bool:
    readers = set(g.login.roles) & {*roles, "auditor"} if roles else True
    return bool(readers) and (not party or party in kinds)


def _listed(title: str, nothing: str, row: str, kind: str, path: str, **query: Any) -> Iterator[Work]:
    found = ask(path, per_page=ROWS_MAX, **query)
    more = url_for("records.listed", kind=kind, **query) if found["total"] > ROWS_MAX else ""
    yield Work(title, nothing, row, found["items"], found["total"], more)


def _attention() -> Iterator[Work]:
    for work in _listed(_("Needs you"), "", "submission", "submission", "/v1/submissions", state="attention"):
        if work.total:
            yield work


def _own() -> str:
    return current_node().msp_id


def _supplier() -> Iterator[Work]:
    nothing = _("No invoice waits. Hand in the next one.")
    title = _("Waiting for the buyer's approval")
    yield from _listed(
        title, nothing, "invoice", "invoice", "/v1/invoices", supplier=_own(), status="registered", sort="due_date"
    )
    coming = ask("/v1/invoices", holder=_own(), status="approved", sort="due_date", per_page=ROWS_MAX)
    yield Work(_("Money coming"), _("No approved invoice is owed to you."), "coming", coming["items"], coming["total"])
    yield from _listed(
        _("On the way"),
        _("No shipment is on its way."),
        "shipment",
        "shipment",
        "/v1/shipments",
        supplier=_own(),
        state="open",
    )


def _buyer() -> Iterator[Work]:
    found = ask("/v1/invoices", buyer=_own(), status="registered", sort="due_date", per_page=ROWS_MAX)
    nothing = _("Nothing to approve.")
    yield Work(_("To approve"), nothing, "approve", found["items"], found["total"])
    goods = ask("/v1/shipments", buyer=_own(), state="open", per_page=ROWS_MAX)
    asked = [each for each in goods["items"] if not each["carrier_accepted"]]
    if asked:
        yield Work(_("Carriers to accept"), "", "carrier", asked, len(asked))
    for status, title in (
        ("overdue", _("Overdue")),
        ("early-paid", _("To pay to the financier")),
        ("approved", _("To pay")),
    ):
        owed = ask("/v1/invoices", buyer=_own(), status=status, sort="due_date", per_page=ROWS_MAX)
        if owed["total"]:
            yield Work(title, "", "pay", owed["items"], owed["total"])


def _financier() -> Iterator[Work]:
    nothing = _("No supplier asks for early payment.")
    path = "/v1/early-payment-requests"
    yield from _listed(_("To decide"), nothing, "request", "request", path, financier=_own(), state="open")


def _carrier() -> Iterator[Work]:
    nothing = _("Nothing to carry.")
    path = "/v1/shipments"
    yield from _listed(_("Today's shipments"), nothing, "carry", "shipment", path, carrier=_own(), state="open")


def _issuer() -> Iterator[Work]:
    found = ask("/v1/redemptions", per_page=200)
    mine = [each for each in found["items"] if each["status"] == "requested" and each["deposit"].endswith(f"@{_own()}")]
    yield Work(_("To pay out"), _("No redemption is to be paid out."), "redemption", mine, len(mine))


def _keys() -> Iterator[Work]:
    asked = [{"name": login.full_name} for _asked, login in open_requests()]
    if asked:
        yield Work(_("Signing keys to certify"), "", "key", asked, len(asked))


LISTS: tuple[tuple[tuple[str, ...], str, Callable[[], Iterator[Work]]], ...] = (
    ((), "", _attention),
    (("operator",), "", _keys),
    (("uploader",), "carrier", _carrier),
    (("approver",), "buyer", _buyer),
    (("funder",), "financier", _financier),
    (("issuer",), "issuer", _issuer),
    (("uploader",), "supplier", _supplier),
)
"""For which roles of persons, and of the organisation, each list is."""
