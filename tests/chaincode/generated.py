"""Generated life: several organisations play deals at the same time, honestly or not, in batches of all sizes.

A deal is the story with names, amounts and flaws of its own; its steps are sent in any order, and again later when
they were refused. In between somebody forges, repeats, or moves the day. All choices come from one `Random`.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections import Counter
from random import Random
from typing import Any

import generated_trade
from generated_members import behind, turn
from invariants import Arrow, arrows, check_state, check_step
from invariants_records import snapshot
from life_worlds import terms
from refusal_rows import COUSIN, OTHER_BANK, OTHER_BUYER, OTHER_SUPPLIER
from world import World, found
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    Step,
    acceptance,
    approval,
    attestation,
    command,
    deposit,
    document,
    event,
    facility,
    facts,
    hex64,
    hexid,
    invoice,
    of_content,
    party,
    request,
    seal,
    settlement,
    shipment,
)

from chaincode.contract import COMMANDS

SUPPLIERS, BUYERS, BANKS = (SUPPLIER, OTHER_SUPPLIER), (BUYER, OTHER_BUYER), (FINANCIER, OTHER_BANK)
EVERYBODY = (
    *PARTIES,
    party(OTHER_SUPPLIER, "supplier"),
    party(OTHER_BUYER, "buyer", "issuer", issue_limits={"EUR": 3_000_000}),
    party(OTHER_BANK, "financier"),
    party(COUSIN, "carrier", group_id=f"{SUPPLIER}-group"),
)
SENDERS = [one["msp_id"] for one in EVERYBODY]
OF_TRANSACTION = re.compile(rb'"transaction_id":"[0-9a-f]{64}"|"command_number":[0-9]+')
CIVIC = {name for name, known in COMMANDS.items() if known.run.__module__.endswith((".membership", ".persons"))}
FACES = (300_000, 1_000_000, 1_700_000)


class Life:
    """One generated run; `paid`, `sent`, `accepted` and `refused` count what happened, `arrows` are those followed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.world = World()
        self.date = datetime.date.fromisoformat(DAY)
        self.waiting: list[Step] = []
        self.later: dict[str, list[Step]] = {}
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.deals = self.turns = self.sent = self.accepted = self.paid = 0
        self.arrows: set[Arrow] = set()
        self.refused: Counter[str] = Counter()
        found(self.world, EVERYBODY)
        for bank in BANKS:
            self.waiting += [(bank, "AcceptSupplier", self.known(bank, one)) for one in SUPPLIERS]
            self.waiting += [(bank, "OpenFacility", self.offer(bank, buyer)) for buyer in BUYERS]
        self.waiting += [(SUPPLIER, "SealDocuments", seal()), (CARRIER, "SealDocuments", seal())]
        two_steps = terms(suppliers=list(SUPPLIERS), mode="manual", two_step_above_minor=0, ack_days=60)
        manual = {"facility_id": hexid(f"{OTHER_BANK} {OTHER_BUYER}"), "terms": two_steps}
        self.waiting.append((OTHER_BANK, "ChangeFacility", manual))
        self.waiting.append((FINANCIER, "IssueDeposit", deposit("start", to=OTHER_BANK, amount_minor=2_500_000)))

    def known(self, bank: str, supplier: str) -> dict[str, Any]:
        """A bank's word on a supplier: now and then it finds that it and the carrier belong together."""
        found_ = CARRIER if bank == OTHER_BANK and self.random.random() < 0.2 else supplier
        return acceptance(supplier=supplier, group_id=f"{found_}-group")

    def offer(self, bank: str, buyer: str) -> dict[str, Any]:
        """A facility of a bank on a buyer: small limits, so that they matter."""
        return facility(
            f"{bank} {buyer}",
            buyer=buyer,
            suppliers=list(SUPPLIERS),
            limit_minor=3_000_000,
            supplier_limit_minor=2_000_000,
            rate_bps=self.random.choice([0, 450, 500]),
            mode="manual" if (bank, buyer) == (OTHER_BANK, OTHER_BUYER) else "automatic",
            both_delivery_minor=self.random.choice([0, 1_500_000]),
            ack_days=30,
        )

    def deal(self) -> list[Step]:
        """The steps of a new deal, with a flaw now and then."""
        self.deals += 1
        name, random = f"deal {self.deals}", self.random
        supplier, buyer, face = random.choice(SUPPLIERS), random.choice(BUYERS), random.choice(FACES)
        twin = f"deal {random.randint(1, self.deals)}" if random.random() < 0.25 else name
        said = facts(
            amount_minor=face,
            due_date=(self.date + datetime.timedelta(days=random.choice([20, 60, 90]))).isoformat(),
            supplier=hex64(f"identity {supplier}"),
            buyer=hex64(f"identity {buyer}"),
            payee="",
            predecessors=[hex64(f"number {other}")] if (other := self.followed()) else [],
            conditions=["prepayment"] if random.random() < 0.03 else [],
        )
        of = {kind: random.choice([twin, twin, name]) for kind in ("amount", "number")}
        prints = {kind: hex64(f"{kind} {of[kind]}") for kind in of}
        named = random.random() < 0.1  # the proof says which delivery it is of, and the invoice most of the time too
        if named and random.random() < 0.7:
            prints["delivery"] = hex64(f"delivery {twin}")
        first, second, goods, bill = (hexid(f"{name} {what}") for what in ("bill", "proof", "goods", "invoice"))
        ship = shipment(f"{name} goods", buyer=buyer, carrier=random.choice([CARRIER, CARRIER, COUSIN]))
        readers = [buyer, CARRIER, *BANKS]
        arrived = event(name, partial=random.random() < 0.05) | {"shipment_id": goods}
        undertaking = approval(name, amount_minor=face, due_date=said["due_date"]) | {"invoice_id": bill}
        banks = (OTHER_BANK,) if buyer == OTHER_BUYER and random.random() < 0.5 else BANKS  # by decision only, or not
        asked = [hexid(f"{bank} {buyer}") for bank in banks]
        offers = generated_trade.records(self.world, "facility/")
        later = [one["facility_id"] for one in offers if one["buyer"] == buyer and one["status"] == "open"]
        asked += [one for one in later if one not in asked][-4:]
        until = random.choice([said["due_date"]] * 9 + [self.date.isoformat()])
        wish = request(facility_ids=asked, net_min_minor=1, valid_until=until)
        steps: list[Step] = [
            (supplier, "RegisterDocument", document(f"{name} bill", entitled=[buyer, *BANKS])),
            (
                supplier,
                "RegisterDocument",
                document(f"{name} proof", "proof_of_delivery", entitled=readers),
            ),
            (supplier, "RegisterShipment", ship | {"shipment_id": goods}),
            (
                supplier,
                "RegisterInvoice",
                invoice(name, buyer=buyer, facts=said, fingerprints=prints, document_ids=[first], proof_ids=[second])
                | {"invoice_id": bill, "shipment_ids": [goods]},
            ),
            (supplier, "RequestEarlyPayment", wish | {"invoice_id": bill}),
            (buyer, "AcceptCarrier", {"shipment_id": goods}),
            (ship["carrier"], "RecordShipmentEvent", arrived),
            *[(ship["carrier"], "RecordShipmentEvent", arrived | {"event_id": hexid(name)})] * (random.random() < 0.2),
            (buyer, "RecordShipmentEvent", event(f"{name} too") | {"shipment_id": goods}),
            (buyer, "ApproveInvoice", undertaking),
            (CARRIER, "AttestDocument", attestation(f"{name} proof")),
        ]
        for reader in (buyer, *BANKS):
            read = facts(**said | {"amount_minor": face + (random.random() < 0.05)})
            steps.append((reader, "AttestDocument", attestation(f"{name} bill", facts=read, fingerprints=prints)))
            told = {"delivery": hex64(f"delivery {twin}")} if named else {}
            steps.append((reader, "AttestDocument", attestation(f"{name} proof", fingerprints=told)))
        decision = {"invoice_id": bill, "facility_id": hexid(f"{OTHER_BANK} {OTHER_BUYER}")}
        steps.append((OTHER_BANK, "FundInvoice", decision))
        steps.append((random.choice(SENDERS), "CheckRelease", {"invoice_ids": [bill]}))
        if random.random() < 0.1:
            steps.append((supplier, "RequestEarlyPayment", wish | {"invoice_id": ""}))
        self.later[bill] = self.afterwards(name, bill, buyer, face)
        if random.random() < 0.25:
            steps += self.later.pop(bill)
        return [step for step in steps if random.random() > 0.03]

    def followed(self) -> str:
        """Now and then the name of a deal whose invoice another one says to correct."""
        return f"deal {self.random.randint(1, self.deals)}" if self.random.random() < 0.08 else ""

    def afterwards(self, name: str, bill: str, buyer: str, face: int) -> list[Step]:
        """What follows a payment; sent before it, it settles the invoice directly."""
        pay = settlement(amount_minor=face) | {"invoice_id": bill}
        noticed: Step = (buyer, "AcknowledgeAssignment", {"invoice_id": bill})
        if self.random.random() < 0.6:
            return [noticed]  # what becomes of it is left to `generated_trade`
        return [
            noticed,
            (FINANCIER, "IssueDeposit", deposit(name, to=buyer, amount_minor=face)),
            (buyer, "SettleInvoice", pay),
            (buyer, "SettleInvoice", pay | {"deposit": f"EUR@{OTHER_BUYER}"}),
        ]

    def step(self) -> None:
        """One transaction, and every invariant after it."""
        if len(self.waiting) < 25:
            self.waiting += self.deal()
        if self.random.random() < 0.04:
            days = self.random.choice([1, 1, 2, 12])
            self.date += datetime.timedelta(days=days)
            noon = datetime.datetime.combine(self.date, datetime.time(12), datetime.UTC)
            self.world.timestamp = int(noon.timestamp())
            askers = self.random.sample(SENDERS, 1 if days == 1 else len(SENDERS))
            self.waiting[:0] = [(one, "OpenDay", {"date": self.date.isoformat()}) for one in askers]
        if self.random.random() < 0.04:
            self.turns += 1
            wanted = turn(self.world, self.random, self.turns, SENDERS)
            self.waiting[:0] = wanted
        if self.random.random() < 0.35:
            self.turns += 1
            self.waiting[:0] = generated_trade.turn(self.world, self.random, self.turns, SENDERS)
        sender, batch = self.batch()
        shadow = self.one_by_one(sender, batch)
        answer = self.world.dispatch(sender, json.dumps({"version": 1, "commands": batch}).encode())
        results = json.loads(answer.payload)["results"]
        assert answer.ok == any(result["status"] != "refused" for result in results)
        self.take(sender, batch, results)
        assert nameless(self.world) == nameless(shadow), "a batch does what its commands do one by one"
        check_state(self.world.state)

    def one_by_one(self, sender: str, batch: list[dict[str, Any]]) -> World:
        """Run the commands each in a transaction of its own, on a copy of the world, and check each step."""
        shadow = World()
        shadow.state, shadow.keys = dict(self.world.state), list(self.world.keys)
        shadow.timestamp = self.world.timestamp
        after = snapshot(shadow.state)
        for one in batch:
            before = after
            result = shadow.batch(sender, [one])[0]
            after = before if shadow.state == before else snapshot(shadow.state)  # most are refused
            applied = result["status"] == "applied"
            paid = check_step(before, after, one["type"] if applied else "nothing")
            self.arrows.update(arrows(before, after))
            released = result["result"].get("released", ()) if applied else ()
            assert paid == len(released)
            self.paid += paid
        return shadow

    def batch(self) -> tuple[str, list[dict[str, Any]]]:
        """A sender and the commands of one transaction of its own."""
        random = self.random
        sender = random.choice(self.waiting[:12])[0]
        own = [step for step in self.waiting[:25] if step[0] == sender]
        chosen = own[: random.choice([1, 1, 2, 5, 25])]
        commands = []
        for number, step in enumerate(chosen):
            self.waiting.remove(step)
            one = told(self.sent + number, command(step[1], hexid(f"{self.sent} {number}"), **step[2]))
            commands.append(one | behind(self.world, random, sender))
        if random.random() < 0.15:
            commands.append(self.forged(sender, len(commands)))
        again = [one for who, one in self.history[-30:] if who == sender]
        if again and random.random() < 0.2:
            commands.insert(random.randint(0, len(commands)), random.choice(again))
        return sender, commands

    def forged(self, sender: str, number: int) -> dict[str, Any]:
        """Somebody else's step under one's own name, with a field taken from another one of its kind."""
        steps = [*self.waiting, *((who, one["type"], one["body"]) for who, one in self.history[-30:])]
        _, type_, body = self.random.choice(steps)
        others = [other for _, kind, other in steps if kind == type_]
        swapped = self.random.choice(sorted(body))
        return command(type_, hexid(f"{self.sent} {number}"), **body | {swapped: self.random.choice(others)[swapped]})

    def take(self, sender: str, batch: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        """Count what was accepted, remember it, and put back what was refused, to be tried again later."""
        known = {one["command_id"] for who, one in self.history if who == sender}
        for sent, result in zip(batch, results, strict=True):
            self.sent += 1
            self.accepted += result["status"] == "applied"
            self.refused.update([result["code"]] if result["status"] == "refused" else [])
            if sent["command_id"] in known:
                assert result["status"] == "exists"
            elif result["status"] == "applied":
                self.history.append((sender, sent))
                for bill in result["result"].get("released", ()):
                    self.waiting += self.later.pop(bill, [])
            elif self.random.random() < (0.2 if sent["type"] in CIVIC else 0.6):
                self.waiting.append((sender, sent["type"], sent["body"]))


def told(number: int, one: dict[str, Any]) -> dict[str, Any]:
    """A report of an event, some of them as a list, and some under an id that is made of the content."""
    if one["type"] == "RecordShipmentEvent" and number % 3 == 0:
        one = one | {"type": "RecordShipmentEvents", "body": {"events": [one["body"]]}}
    if one["type"].startswith("RecordShipmentEvent") and number % 2 == 0:
        one = of_content(one)
    return one


def nameless(world: World) -> dict[str, bytes]:
    """The state without the ids of transactions and the places in them, which are all that may differ."""
    return {key: without_transaction(data) for key, data in world.state.items()}


@functools.lru_cache(maxsize=50_000)
def without_transaction(data: bytes) -> bytes:
    return OF_TRANSACTION.sub(b"", data)
