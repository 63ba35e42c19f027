"""The four nodes of `consortium`, spoken to as people do: HTTP requests with tokens to each node's user API."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, ROLES, SUPPLIER, Consortium, eventually
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from ledger_node.agreement import make_key
from ledger_node.api.app import create_user_app
from ledger_node.api.problem import REFUSAL_URN
from ledger_node.demo import samples
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.operations.remedies import remedy
from ledger_node.people.roles import Role

DEPOSIT = f"EUR@{FINANCIER}"
Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer: status, JSON body, headers."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Caller:
    """One organisation's node, asked with a token of each role."""

    def __init__(self, world: Consortium, name: str) -> None:
        self.node = world[name]
        self.http: FlaskClient = create_user_app(self.node).test_client()
        self.tokens = {role.value: self.node.tokens.create(role.value, 1)[0] for role in Role}

    @property
    def agreement_file(self) -> Path:
        """Where the node keeps its private agreement keys."""
        return self.node.settings.at(self.node.settings.agreement_key_file)

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    def get(self, path: str, role: str = "auditor", **headers: str) -> Reply:
        """Read; underscores in header names become dashes. What is answered must be as the API describes it."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = _reply(self.http.get(path, headers=self.bearer(role) | sent))
        if reply.status == 200 and path.startswith("/v1/") and isinstance(reply.body, dict):
            require_described(path.partition("?")[0], reply.body)
        return reply

    def post(self, role: str, path: str, body: Json | None = None, *, key: str = "", wait: int = 20) -> Reply:
        """Write, and wait for the ledger."""
        headers = self.write_headers(role, key, wait)
        return _reply(self.http.post(path, json=body or {}, headers=headers))

    def raw(self, role: str, path: str, content: bytes, media_type: str = "application/json") -> Reply:
        """Write a body as it is."""
        headers = self.write_headers(role, "", 0) | {"Content-Type": media_type}
        return _reply(self.http.post(path, data=content, headers=headers))

    def upload(
        self,
        kind: str,
        media_type: str,
        content: bytes,
        entitled: list[str] | str,
        *,
        key: str = "",
        wait: int = 20,
        role: str = "uploader",
        **extra: Any,
    ) -> Reply:
        """Upload a document."""
        form = {"kind": kind, "entitled": entitled, "file": (io.BytesIO(content), "paper", media_type), **extra}
        return _reply(self.http.post("/v1/documents", data=form, headers=self.write_headers(role, key, wait)))

    def write_headers(self, role: str, key: str, wait: int) -> dict[str, str]:
        headers = self.bearer(role) | {"Idempotency-Key": key or secrets.token_hex(8)}
        return headers | {"Prefer": f"wait={wait}"} if wait else headers

    def stored(self) -> tuple[int, int, int]:
        """How many commands, own documents and files the node keeps."""
        files = [path for path in (self.node.settings.at(self.node.settings.vault_dir)).rglob("*") if path.is_file()]
        return sum(self.node.outbox.counts().values()), len(self.node.documents.list(per_page=500)), len(files)


DESCRIPTION = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "openapi.json").read_text())
DESCRIBED = Registry().with_resource("api", Resource.from_contents(DESCRIPTION, DRAFT202012))


def require_described(address: str, body: Json) -> None:
    """Hold an answer against the shape that the API's description gives it, which nothing does while a node runs."""
    for path, operations in DESCRIPTION["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address) and "get" in operations:
            schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            of_the_api = {"$ref": f"api{schema['$ref']}"}
            faults = [error.message for error in Draft202012Validator(of_the_api, registry=DESCRIBED).iter_errors(body)]
            assert faults == [], f"{address}: {faults}"
            return


class Clock:
    """A clock that goes on from a date of its own. What counts from the next day asks for the date of a proposal."""

    def __init__(self, date: dt.date) -> None:
        self.date = date
        self._begun = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        passed = dt.datetime.now(dt.UTC) - self._begun
        return dt.datetime.combine(self.date, dt.time(9), dt.UTC) + passed


class People:
    """The people of four organisations; `day` is the ledger's, `due` when invoices that they make are due.

    A first day in the past, for nodes that open no days by themselves and whose ledger has that clock, lets a test play
    what takes weeks.
    """

    def __init__(self, world: Consortium, day: dt.date | None = None, clock: Clock | None = None) -> None:
        self.world = world
        self.clock = clock
        self.day = day or dt.datetime.now(dt.UTC).date()
        self.due = self.day + dt.timedelta(days=60)
        self.supplier, self.buyer, self.financier, self.carrier = (Caller(world, name) for name in ORGANISATIONS)

    def each(self) -> tuple[Caller, ...]:
        return self.supplier, self.buyer, self.financier, self.carrier

    def parties(self) -> list[Json]:
        """The parties of the founding."""
        named = {SUPPLIER: samples.SUPPLIER.vat_id, BUYER: samples.BUYER.vat_id}
        return [
            {
                "msp_id": msp_id,
                "name": name.capitalize(),
                "roles": ROLES[msp_id],
                "group_id": f"group-{name}",
                "peer_url": self.world.peer_url(name),
                "legal_id": named.get(msp_id, name),
                "payout_account": samples.SUPPLIER_IBAN if msp_id == SUPPLIER else f"IBAN {name}",
                "issue_limits": {"EUR": "1000000.00"} if msp_id == FINANCIER else {},
            }
            for name, msp_id in zip(ORGANISATIONS, (SUPPLIER, BUYER, FINANCIER, CARRIER), strict=True)
        ]

    def found(self, privacy: str = "open") -> None:
        """Found and confirm the consortium; wait until its first day is open everywhere.

        Where its terms are sealed, each party has an agreement key.
        """
        parties = self.parties()
        if privacy == "sealed":
            keys = {caller.node.msp_id: make_key(caller.agreement_file) for caller in self.each()}
            parties = [party | {"agreement_key": keys[party["msp_id"]]} for party in parties]
        founded = self.supplier.post("operator", "/v1/parties", {"parties": parties, "privacy": privacy})
        assert founded.status == 201, founded
        digest = founded.body["result"]["digest"]
        for caller in self.each():
            confirmed = caller.post("operator", "/v1/parties/confirmation", {"digest": digest})
            assert confirmed.status == 200, confirmed
        self.begin()

    def begin(self) -> None:
        """Wait until the first day of a consortium that is founded is open everywhere."""
        if not self.world["supplier"].settings.open_days:
            self.open_day(self.day)
        first = self.day.isoformat()
        eventually(lambda: all(each.node.readmodel.day() >= first for each in self.each()), "the day is open")

    def open_day(self, date: dt.date) -> None:
        """Move the ledger's day, which nodes that open days by themselves have moved to today, and its clock."""
        if self.clock:
            self.clock.date = date
        for caller in (self.carrier, self.supplier, self.buyer):  # more than half, whose word a long step needs
            opened = caller.post("operator", "/v1/days", {"date": date.isoformat()})
            assert opened.status == 200, opened
            if opened.body["result"]["date"] == date.isoformat():
                break
        block = str(opened.body["block_number"])
        shown = {each.get("/v1/days/current", Ledger_Block_Min=block).body["date"] for each in self.each()}
        assert shown == {date.isoformat()}
        self.day = date

    def open_facility(self, mode: str = "automatic") -> str:
        """The financier accepts the supplier and opens a facility on the buyer, which all nodes show; its id."""
        accepted = {
            "supplier": SUPPLIER,
            "agreement": "RPA 1",
            "screened_until": "2999-01-01",
            "group_id": "group-supplier",
        }
        assert self.financier.post("funder", "/v1/supplier-acceptances", accepted).status == 200
        opened = self.financier.post("funder", "/v1/facilities", facility(mode))
        assert opened.status == 201, opened
        facility_id = str(opened.body["record_id"])
        eventually(
            lambda: all(each.node.readmodel.facility(facility_id) for each in self.each()), "all show the facility"
        )
        return facility_id


@contextmanager
def people_from(day: dt.date, home: Path, authority: Path, privacy: str = "open") -> Iterator[People]:
    """The people of four nodes that are at work and open no days by themselves; the consortium is founded on `day`."""
    clock = Clock(day)

    def embedded(path: Path, msp_id: str, certificate: bytes, _now: Callable[[], dt.datetime]) -> EmbeddedLedger:
        return EmbeddedLedger(path, msp_id, certificate, clock)

    with patch("ledger_node.node.EmbeddedLedger", embedded):
        world = Consortium(home, authority, open_days=False)
    try:
        for name in ORGANISATIONS:
            world.serve(name)
        world.start()
        people = People(world, day, clock)
        people.found(privacy)
        yield people
    finally:
        world.close()


def facility(mode: str = "automatic") -> Json:
    """A body of a facility."""
    return {
        "buyer": BUYER,
        "suppliers": [SUPPLIER],
        "deposit": DEPOSIT,
        "limit": "1000000.00",
        "supplier_limit": "500000.00",
        "rate_bps": 500,
        "mode": mode,
    }


def beginning(record_id: str, digits: int) -> str:
    """At least so many digits of an id, with a letter among them: digits alone are taken for a number."""
    letter = next(place for place, each in enumerate(record_id) if each.isalpha())
    return record_id[: max(digits, letter + 1)]


def invoice_file(number: str = "INV-1", **changes: Any) -> bytes:
    """A UBL invoice of 10,000.00 EUR."""
    today = dt.datetime.now(dt.UTC).date()
    values: Json = {
        "number": number,
        "supplier": samples.SUPPLIER,
        "buyer": samples.BUYER,
        "issue_date": today,
        "due_date": today + dt.timedelta(days=60),
        "currency": "EUR",
        "amount_minor": 1_000_000,
        "order_reference": "PO 1",
        "shipment_reference": f"SHIP {number}",
        "iban": samples.SUPPLIER_IBAN,
    }
    return samples.invoice_ubl(**(values | changes))


def proof_file(number: str = "INV-1") -> bytes:
    """A proof of delivery."""
    today = dt.datetime.now(dt.UTC).date()
    return samples.proof_of_delivery_pdf(f"SHIP {number}", "PO 1", samples.SUPPLIER, samples.BUYER, today, 3)


def _reply(answer: Any) -> Reply:
    text = answer.get_data(as_text=True)
    body = json.loads(text) if "json" in answer.mimetype else text
    return Reply(answer.status_code, body, answer.headers)


def refused(reply: Reply) -> tuple[int, str]:
    """How a write was refused: the status and the contract's code, which never comes without what helps."""
    if reply.body["type"].startswith(REFUSAL_URN):
        assert reply.body["remedy"].endswith(remedy(reply.code)) and remedy(reply.code)
    return reply.status, reply.code
