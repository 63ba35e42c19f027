"""A consortium in memory: the contract over a dict, with helpers that build the whole story or any part of it.

The ledger here has Fabric's manners: reads see the state before the transaction, and writes are applied only when the
answer is ok. Ids are made of short names, so that a test reads like the story: `hexid("invoice")`.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from bisect import bisect_left, insort
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from chaincode.dispatch import dispatch
from chaincode.stub import Answer

T = TypeVar("T")

SUPPLIER, BUYER, FINANCIER, CARRIER = "SupplierMSP", "BuyerMSP", "FinancierMSP", "CarrierMSP"
DEPOSIT = f"EUR@{FINANCIER}"
DAY = "2026-11-23"
DUE = "2027-01-22"
FACE_MINOR = 1_000_000
ISSUE_LIMIT_MINOR = 100_000_000
SECONDS_OF_DAY = 1_795_392_000
"""2026-11-23 00:00 UTC, the date on which proposals are made unless a test says otherwise."""


def hexid(name: str) -> str:
    """An id made of a name."""
    return hashlib.sha256(f"id {name}".encode()).hexdigest()[:32]


def hex64(name: str) -> str:
    """A digest, commitment or keyed fingerprint made of a name."""
    return hashlib.sha256(f"hex {name}".encode()).hexdigest()


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the contract waited for something")


class MemoryStub:
    """One transaction over the world's state."""

    def __init__(self, world: World, msp_id: str, tx_id: str, timestamp: int) -> None:
        self._world = world
        self.msp_id = msp_id
        self.tx_id = tx_id
        self.timestamp = timestamp
        self.channel_id = "test"
        self.creator_certificate = b""
        self.writes: dict[str, bytes | None] = {}
        self.reads = 0

    async def get_state(self, key: str) -> bytes | None:
        self.reads += 1
        return self._world.state.get(key)

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        self.reads += 1
        return [self._world.state.get(key) for key in keys]

    async def get_range(self, start: str, end: str) -> list[tuple[str, bytes]]:
        self.reads += 1
        keys = self._world.keys
        return [(key, self._world.state[key]) for key in keys[bisect_left(keys, start) : bisect_left(keys, end)]]

    def put_state(self, key: str, value: bytes) -> None:
        assert key and value
        self.writes[key] = value

    def del_state(self, key: str) -> None:
        assert key
        self.writes[key] = None


class World:
    """The state of one channel, and everybody's hands."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.keys: list[str] = []
        self.timestamp = SECONDS_OF_DAY
        self.transactions = 0
        self.reads = 0
        """Round trips of the last transaction."""

    def dispatch(self, msp_id: str, argument: bytes) -> Answer:
        """Run one transaction with any bytes as its argument, and apply its writes when it is ok."""
        self.transactions += 1
        stub = MemoryStub(self, msp_id, hex64(f"transaction {self.transactions}"), self.timestamp)
        answer = finish(dispatch(stub, argument))
        self.reads = stub.reads
        if answer.ok:
            self.apply(stub.writes)
        return answer

    def apply(self, writes: dict[str, bytes | None]) -> None:
        """Apply writes to the state."""
        for key, value in writes.items():
            if value is not None:
                if key not in self.state:
                    insort(self.keys, key)
                self.state[key] = value
            elif self.state.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]

    def batch(self, msp_id: str, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run commands in one transaction and give their results."""
        answer = self.dispatch(msp_id, json.dumps({"version": 1, "commands": list(commands)}).encode())
        results: list[dict[str, Any]] = json.loads(answer.payload)["results"]
        return results

    def run(self, msp_id: str, type_: str, command_id: str = "", **body: Any) -> dict[str, Any]:
        """Run one command in a transaction of its own and give its result."""
        return self.batch(msp_id, [command(type_, command_id or hexid(f"run {self.transactions}"), **body)])[0]

    def must(self, msp_id: str, type_: str, **body: Any) -> dict[str, Any]:
        """Run one command that has to be applied and give what it says."""
        result = self.run(msp_id, type_, **body)
        assert result["status"] == "applied", f"{type_}: {result}"
        said: dict[str, Any] = result["result"]
        return said

    def refusal(self, msp_id: str, type_: str, **body: Any) -> str:
        """Run one command that has to be refused, without a trace, and give the code."""
        before = dict(self.state)
        result = self.run(msp_id, type_, **body)
        assert result["status"] == "refused", f"{type_}: {result}"
        assert before == self.state
        code: str = result["code"]
        return code

    def query(self, **query: Any) -> Any:
        """Ask a query as the supplier."""
        answer = self.dispatch(SUPPLIER, json.dumps({"version": 1, "query": query}).encode())
        assert answer.ok, answer.payload
        return json.loads(answer.payload)["result"]

    def read(self, key: str) -> Any:
        """The plain data under a key, None when there is nothing."""
        data = self.state.get(key)
        return None if data is None else json.loads(data)

    def classes(self, invoice: str = "invoice") -> dict[str, str]:
        """The reasons of the seven classes of an invoice, by class."""
        answer = self.query(type="ReleaseCheck", invoice_id=hexid(invoice))
        return {item["class"]: item["reason"] for item in answer["classes"]}

    def balance(self, name: str, deposit: str = DEPOSIT) -> int:
        """The balance of a cash account, 0 when there is none."""
        account = self.read(f"account/cash/{deposit}/{name}")
        return account["balance_minor"] if account else 0

    def open_day(self, date: str) -> None:
        """Let time pass until noon of a date, and open it."""
        noon = datetime.datetime.fromisoformat(f"{date}T12:00:00+00:00")
        self.timestamp = int(noon.timestamp())
        self.must(SUPPLIER, "OpenDay", date=date)


def command(type_: str, command_id: str, **body: Any) -> dict[str, Any]:
    """A command as it stands in an envelope."""
    return {"command_id": command_id, "type": type_, "body": body}


def party(msp_id: str, *roles: str, **other: Any) -> dict[str, Any]:
    """A party as a founding lists it; an issuer has a limit in EUR."""
    return {
        "msp_id": msp_id,
        "name": f"{msp_id} Ltd",
        "roles": list(roles),
        "group_id": f"{msp_id}-group",
        "peer_url": f"https://{msp_id.lower()}.example:8443",
        "identity_fingerprint": hex64(f"identity {msp_id}"),
        "payout_fingerprint": hex64(f"payout {msp_id}"),
        "issue_limits": {"EUR": ISSUE_LIMIT_MINOR} if "issuer" in roles else {},
    } | other


PARTIES = (
    party(SUPPLIER, "supplier"),
    party(BUYER, "buyer"),
    party(FINANCIER, "financier", "issuer"),
    party(CARRIER, "carrier"),
)


def found(world: World, parties: Sequence[dict[str, Any]] = PARTIES) -> None:
    """Found the consortium, let everybody confirm, and open the day."""
    digest = world.must(parties[0]["msp_id"], "FoundConsortium", parties=list(parties))["digest"]
    for listed in parties:
        world.must(listed["msp_id"], "ConfirmFounding", digest=digest)
    world.must(parties[0]["msp_id"], "OpenDay", date=DAY)


def facts(**other: Any) -> dict[str, Any]:
    """What the invoice says."""
    return {
        "amount_minor": FACE_MINOR,
        "currency": "EUR",
        "issue_date": "2026-11-20",
        "due_date": DUE,
        "supplier": hex64(f"identity {SUPPLIER}"),
        "buyer": hex64(f"identity {BUYER}"),
        "payee": hex64(f"payout {SUPPLIER}"),
    } | other


def fingerprints(invoice: str = "invoice") -> dict[str, str]:
    """The fingerprints of an invoice, made of its name."""
    return {kind: hex64(f"{kind} {invoice}") for kind in ("amount", "number")}


def document(name: str, kind: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RegisterDocument."""
    entitled = [BUYER, FINANCIER] if kind == "invoice" else [BUYER, CARRIER, FINANCIER]
    return {
        "document_id": hexid(name),
        "kind": kind,
        "media_type": "application/xml",
        "size_bytes": 4_711,
        "algorithm": "SHA-256",
        "commitment": hex64(f"commitment {name}"),
        "entitled": entitled,
    } | other


def attestation(name: str, **other: Any) -> dict[str, Any]:
    """The body of AttestDocument: verified, without facts."""
    return {
        "document_id": hexid(name),
        "verdict": "verified",
        "commitment": hex64(f"commitment {name}"),
        "fingerprints": {},
        "facts": None,
    } | other


def shipment(name: str = "shipment", **other: Any) -> dict[str, Any]:
    """The body of RegisterShipment."""
    return {
        "shipment_id": hexid(name),
        "buyer": BUYER,
        "carrier": CARRIER,
        "reference_fingerprint": hex64(f"reference {name}"),
    } | other


def event(name: str = "delivered", shipment: str = "shipment", **other: Any) -> dict[str, Any]:
    """The body of RecordShipmentEvent: delivered in full today."""
    return {
        "shipment_id": hexid(shipment),
        "event_id": hexid(f"event {name}"),
        "type": "delivered",
        "occurred_on": DAY,
        "partial": False,
        "document_id": "",
    } | other


def acceptance(**other: Any) -> dict[str, Any]:
    """The body of AcceptSupplier."""
    return {
        "supplier": SUPPLIER,
        "agreement_commitment": hex64("agreement"),
        "screened_until": "2027-11-23",
        "group_id": "SupplierMSP-group",
    } | other


def facility(name: str = "facility", **other: Any) -> dict[str, Any]:
    """The body of OpenFacility: automatic, 5 % a year, in the financier's own money."""
    return {
        "facility_id": hexid(name),
        "buyer": BUYER,
        "suppliers": [SUPPLIER],
        "deposit": DEPOSIT,
        "limit_minor": 10_000_000,
        "supplier_limit_minor": 5_000_000,
        "rate_bps": 500,
        "day_count": "ACT/360",
        "fee_minor": 2_500,
        "tenor_days_min": 5,
        "tenor_days_max": 120,
        "grace_days": 3,
        "holidays": ["2027-01-01"],
        "mode": "automatic",
        "recourse": "none",
        "attestations_min": 2,
        "both_delivery_minor": 0,
        "overdue_days_max": 10,
        "ack_days": 14,
        "insured_until": "",
    } | other


def invoice(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RegisterInvoice, resting on documents and a shipment of fixed names."""
    return {
        "invoice_id": hexid(name),
        "buyer": BUYER,
        "document_ids": [hexid("document")],
        "proof_ids": [hexid("proof")],
        "shipment_ids": [hexid("shipment")],
        "facts": facts(),
        "fingerprints": fingerprints(name),
        "epoch": 1,
    } | other


def approval(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of ApproveInvoice."""
    return {
        "invoice_id": hexid(name),
        "amount_minor": FACE_MINOR,
        "currency": "EUR",
        "due_date": DUE,
        "buyer_reference": hex64(f"buyer reference {name}"),
    } | other


def request(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RequestEarlyPayment for one invoice, to the one facility."""
    return {
        "invoice_id": hexid(name),
        "facility_ids": [hexid("facility")],
        "net_min_minor": 900_000,
        "valid_until": "2026-12-31",
    } | other


def deposit(name: str = "credit", **other: Any) -> dict[str, Any]:
    """The body of IssueDeposit: what the buyer needs to settle."""
    return {
        "deposit": DEPOSIT,
        "to": BUYER,
        "amount_minor": FACE_MINOR,
        "credit_reference": hex64(name),
        "booked_on": DAY,
    } | other


def settlement(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of SettleInvoice."""
    return {"invoice_id": hexid(name), "amount_minor": FACE_MINOR, "deposit": DEPOSIT} | other


Step = tuple[str, str, dict[str, Any]]


def story() -> dict[str, Step]:
    """The main job from the acceptance of the supplier to the payment, step by step: name -> (who, type, body).

    Each of the steps after "invoice" is a piece of evidence, and whichever comes last pays.
    """
    read_in_invoice = {"facts": facts(), "fingerprints": fingerprints()}
    return {
        "acceptance": (FINANCIER, "AcceptSupplier", acceptance()),
        "facility": (FINANCIER, "OpenFacility", facility()),
        "document": (SUPPLIER, "RegisterDocument", document("document")),
        "proof": (SUPPLIER, "RegisterDocument", document("proof", "proof_of_delivery")),
        "shipment": (SUPPLIER, "RegisterShipment", shipment()),
        "invoice": (SUPPLIER, "RegisterInvoice", invoice()),
        "request": (SUPPLIER, "RequestEarlyPayment", request()),
        "carrier": (BUYER, "AcceptCarrier", {"shipment_id": hexid("shipment")}),
        "delivered": (CARRIER, "RecordShipmentEvent", event()),
        "approval": (BUYER, "ApproveInvoice", approval()),
        "buyer proof": (BUYER, "AttestDocument", attestation("proof")),
        "carrier proof": (CARRIER, "AttestDocument", attestation("proof")),
        "buyer document": (BUYER, "AttestDocument", attestation("document", **read_in_invoice)),
        "financier document": (FINANCIER, "AttestDocument", attestation("document", **read_in_invoice)),
    }


def play(world: World, steps: dict[str, Step] | None = None, without: Sequence[str] = ()) -> list[str]:
    """Play the story, or other steps, leaving some out; gives the ids of the invoices that were paid on the way."""
    released: list[str] = []
    for name, (msp_id, type_, body) in (steps or story()).items():
        if name not in without:
            released += world.must(msp_id, type_, **body).get("released", [])
    return released


def founded() -> World:
    """A founded consortium on its first day."""
    world = World()
    found(world)
    return world


def paid() -> World:
    """A world in which the invoice has just been paid early."""
    world = founded()
    assert play(world) == [hexid("invoice")]
    return world
