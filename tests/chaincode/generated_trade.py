"""What may happen to an invoice, a facility or a deposit in a generated life, from what stands on the ledger.

Each kind of event looks for a record in the state that it needs, and gives the commands of whoever would send them: so
the rare states, and the commands that need them, are reached. Amounts, dates and small mistakes are left to chance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from invariants_records import terms_on
from life_worlds import REASON, terms
from world import World
from world_bodies import FINANCIER, Step, confirmation, deposit, hex64, hexid

from chaincode.money import add_days

Invoice = dict[str, Any]
Event = Callable[[World, Random, str, Invoice], list[Step]]


def records(world: World, prefix: str) -> list[Any]:
    """All records under a prefix."""
    return [json.loads(world.state[key]) for key in world.keys if key.startswith(prefix)]


def turn(world: World, random: Random, number: int, others: Sequence[str]) -> list[Step]:
    """What some party now wants of an invoice, a facility or its money; `number` is another one every time."""
    name, chance = f"trade {number}", random.random()
    if chance < 0.15:
        return of_facility(world, random, name)
    if chance < 0.3:
        return of_deposit(world, random, name, others)
    invoices = records(world, "invoice/")
    random.shuffle(invoices)
    reserved = [invoice for invoice in invoices if invoice["reservation"]]
    expired = [invoice for invoice in reserved if invoice["reservation"]["expires_on"] < day_of(world)]
    if reserved and random.random() < (0.6 if expired else 0.15):
        return decide(world, random, name, (expired or reserved)[0])
    halfway = [invoice for invoice in invoices if coming(world, invoice)]
    if halfway and random.random() < 0.3:
        return random.choice(coming(world, halfway[0]))(world, random, name, halfway[0])
    events = [event for event in EVENTS if event not in SPOILING or random.random() < 0.15]
    random.shuffle(events)
    for event in events[:4]:
        for invoice in invoices:
            if invoice["status"] in EVENTS[event] and (steps := event(world, random, name, invoice)):
                return steps
    return []


def coming(world: World, invoice: Invoice) -> tuple[Event, ...]:
    """What is likely to happen next to an invoice that has come to a state which few come to."""
    due = invoice["extended_due_date"] or invoice["facts"]["due_date"]
    if invoice["status"] in ("approved", "early-paid") and due < day_of(world):
        return (overdue,)
    if invoice["status"] == "approved" and awaits_decision(world, invoice):
        return (decide,)
    return NEXT.get(invoice["status"], ())


def awaits_decision(world: World, invoice: Invoice) -> bool:
    """Whether an approved invoice was offered to a financier that decides by itself."""
    request = world.read(f"request/{invoice['invoice_id']}")
    offers = [world.read(f"facility/{one}") for one in (request["facility_ids"] if request else ())]
    return any(
        offer and terms_on(offer, day_of(world))["mode"] == "manual" and offer["status"] == "open" for offer in offers
    )


def own(invoice: Invoice, **body: Any) -> dict[str, Any]:
    return {"invoice_id": invoice["invoice_id"], **body}


def part_of(random: Random, amount_minor: int) -> int:
    """All of an amount, a part of it, or now and then too much."""
    return random.choice([amount_minor, amount_minor, max(1, amount_minor // 3), 1, amount_minor + 1])


def day_of(world: World) -> str:
    return str(world.read("day")["date"])


def cash_for(random: Random, name: str, party: str, amount_minor: int) -> list[Step]:
    """Money for a party that is about to pay, most of the time."""
    if random.random() < 0.2 or party == FINANCIER or amount_minor < 1:
        return []
    return [(FINANCIER, "IssueDeposit", deposit(name, to=party, amount_minor=amount_minor) | often(random))]


def often(random: Random) -> dict[str, Any]:
    """Now and then a reference that its bank uses again, so that entries of its book look the same."""
    if random.random() < 0.6:
        return {}
    return {"reference_fingerprint": hex64("a reference used often"), "again": random.random() < 0.2}


def takes(invoice: Invoice) -> str:
    """The deposit that an invoice's holder takes."""
    payment = invoice["early_payment"]
    return str(payment["deposit"]) if payment else f"EUR@{FINANCIER}"


def dispute(_world: World, _random: Random, _name: str, invoice: Invoice) -> list[Step]:
    return [(invoice["buyer"], "DisputeInvoice", own(invoice, **REASON))]


def resolve(_world: World, random: Random, _name: str, invoice: Invoice) -> list[Step]:
    outcome = random.choice(["registered", "registered", "cancelled"])
    return [(invoice["buyer"], "ResolveDispute", own(invoice, outcome=outcome))]


def cancel(_world: World, _random: Random, _name: str, invoice: Invoice) -> list[Step]:
    return [(invoice["supplier"], "CancelInvoice", own(invoice, **REASON))]


def withdraw(_world: World, random: Random, _name: str, invoice: Invoice) -> list[Step]:
    return [(invoice["buyer"], "WithdrawApproval", own(invoice, **REASON)), *approve(_world, random, _name, invoice)]


def approve(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    reference = invoice["voided_reference"] or (invoice["approval"] or {}).get("buyer_reference") or hex64(name)
    body = own(
        invoice,
        amount_minor=invoice["facts"]["amount_minor"] - invoice["credited_minor"],
        currency=invoice["facts"]["currency"],
        due_date=invoice["extended_due_date"] or invoice["facts"]["due_date"],
        buyer_reference=random.choice([reference, hex64(name)]),
    )
    return [(invoice["buyer"], "ApproveInvoice", body)]


def credit(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    body = own(
        invoice,
        credit_note_id=hexid(name),
        amount_minor=random.choice([1, 50_000, invoice["facts"]["amount_minor"]]),
        document_id=invoice["document_ids"][0],
        shipment_ids=invoice["shipment_ids"],
    )
    return [(invoice["supplier"], "RecordCreditNote", body)]


def claim(world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    """A credit note after funding, which the supplier owes its buyer, and pays."""
    supplier, noted = invoice["supplier"], credit(world, random, name, invoice)
    pay = {"credit_note_id": hexid(name), "deposit": takes(invoice)}
    money = cash_for(random, f"{name} claim", supplier, noted[0][2]["amount_minor"])
    return [*money, *noted, *([(supplier, "PayClaim", pay)] if random.random() < 0.8 else [])]


def split(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    whole, supplier = invoice["facts"]["amount_minor"] - invoice["credited_minor"], invoice["supplier"]
    if whole < 3:
        return []
    amounts = random.choice([[whole // 3, whole - whole // 3], [whole // 2, 1, whole - whole // 2 - 1]])
    shipments, sides = invoice["shipment_ids"], (supplier, invoice["buyer"])
    others = [one["shipment_id"] for one in records(_world, "shipment/") if (one["supplier"], one["buyer"]) == sides]
    further = [one for one in random.sample(others, len(others)) if one not in shipments][: random.choice([0, 0, 1])]
    rest = {0: shipments, 1: further}
    parts = [
        {"invoice_id": hexid(f"{name} {number}"), "amount_minor": amount, "shipment_ids": rest.get(number, [])}
        for number, amount in enumerate(amounts)
    ]
    first = invoice | parts[0] | {"credited_minor": invoice["facts"]["amount_minor"] - amounts[0]}
    asked = _world.read(f"request/{invoice['invoice_id']}") or {"facility_ids": [hexid(f"{FINANCIER} BuyerMSP")]}
    request = own(first, facility_ids=asked["facility_ids"], net_min_minor=1, valid_until=add_days(day_of(_world), 30))
    return [
        (supplier, "SplitInvoice", own(invoice, parts=parts)),
        (supplier, "RequestEarlyPayment", request),
        *approve(_world, random, f"{name} part", first),
    ]


def clear(world: World, random: Random, _name: str, invoice: Invoice) -> list[Step]:
    follows = invoice["facts"]["predecessors"]
    if not invoice["duplicate_of"] and not follows and not shared(world, invoice) and random.random() < 0.9:
        return []
    return [(invoice["buyer"], "ClearDuplicate", own(invoice, **REASON))]


def shared(world: World, invoice: Invoice) -> list[str]:
    """The fingerprints of an invoice that others are financed on."""
    place = f"fingerprint/{invoice['epoch']}"
    keys = [f"{place}/{kind}/{invoice['supplier']}/{value}" for kind, value in invoice["fingerprints"].items()]
    return [key for key in keys if any(claim["state"] == "financed" for claim in world.read(key)["claims"])]


def decide(world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    """A financier that the invoice is offered to decides, in one step or two, or says no."""
    request = world.read(f"request/{invoice['invoice_id']}")
    offers = [world.read(f"facility/{one}") for one in (request["facility_ids"] if request else ())]
    if not offers or not all(offers):
        return []
    manual = [one for one in offers if terms_on(one, day_of(world))["mode"] == "manual"]
    offer = random.choice(manual or offers)
    fund = own(invoice, facility_id=offer["facility_id"])
    if reservation := invoice["reservation"]:
        bank = reservation["financier"]
        post: Step = (bank, "PostFunding", own(invoice))
        expire: Step = (invoice["buyer"], "ExpireFunding", {"invoice_ids": [invoice["invoice_id"]]})
        if reservation["expires_on"] < day_of(world):
            return random.choice([[post], [expire], [expire]])
        void: Step = (bank, "VoidFunding", own(invoice))
        return random.choice([[post], [post], [void], [expire], [(offer["financier"], "FundInvoice", fund)]])
    if random.random() < 0.2:
        return [(offer["financier"], "DeclineEarlyPayment", fund | REASON)]
    money = cash_for(random, f"{name} funds", offer["financier"], invoice["open_face_minor"])
    return [*money, (offer["financier"], "FundInvoice", fund)]


def settle(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    amount_minor = part_of(random, invoice["open_face_minor"] - invoice["written_off_minor"])
    if amount_minor < 1 or (invoice["status"] == "approved" and random.random() < 0.8):
        return []
    body = own(invoice, amount_minor=amount_minor)
    if random.random() < 0.2:
        return [(invoice["holder"], "RecordPaidOutside", body | REASON)]
    pay: Step = (invoice["buyer"], "SettleInvoice", body | {"deposit": takes(invoice)})
    return [*cash_for(random, name, invoice["buyer"], amount_minor), pay]


def pay_early(world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    terms_ = {"rate_bps": random.choice([0, 600, 10_000]), "day_count": "ACT/365F"}
    offer = own(invoice, **terms_, valid_until=add_days(day_of(world), random.choice([0, 30])))
    return [
        (invoice["supplier"], "OfferDiscount", offer),
        *cash_for(random, name, invoice["buyer"], invoice["open_face_minor"]),
        (invoice["buyer"], "PayEarly", own(invoice, deposit=f"EUR@{FINANCIER}")),
    ]


def extend(world: World, random: Random, _name: str, invoice: Invoice) -> list[Step]:
    due = max(invoice["extended_due_date"] or invoice["facts"]["due_date"], day_of(world))
    return [(invoice["holder"], "ExtendDueDate", own(invoice, due_date=add_days(due, random.choice([1, 20, 400]))))]


def overdue(world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    if (invoice["extended_due_date"] or invoice["facts"]["due_date"]) >= day_of(world):
        return []
    marked: Step = (invoice["holder"], "MarkOverdue", {"invoice_ids": [invoice["invoice_id"]]})
    return [marked, *(extend(world, random, name, invoice) if random.random() < 0.3 else [])]


def write_off(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    if invoice["status"] == "overdue":
        amount = part_of(random, invoice["open_face_minor"] - invoice["written_off_minor"])
        return [(invoice["holder"], "WriteOff", own(invoice, amount_minor=amount))]
    return recover(_world, random, name, invoice)


def recover(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    if not invoice["written_off_minor"]:
        return []
    amount, buyer = part_of(random, invoice["written_off_minor"]), invoice["buyer"]
    body = own(invoice, amount_minor=amount, deposit=takes(invoice))
    return [*cash_for(random, name, buyer, amount), (buyer, "RecordRecovery", body)]


def take_back(_world: World, random: Random, name: str, invoice: Invoice) -> list[Step]:
    supplier, holder = invoice["supplier"], invoice["holder"]
    if random.random() < 0.4:
        sides = random.sample([supplier, holder], 2)
        return [(side, "Unwind", own(invoice)) for side in sides[: random.choice([1, 2, 2])]]
    report = own(invoice, report_id=hexid(name), amount_minor=1)
    return [
        (random.choice([invoice["buyer"], holder, supplier]), "ReportMisdirectedPayment", report),
        *cash_for(random, name, supplier, invoice["open_face_minor"]),
        (supplier, "Repurchase", own(invoice, deposit=takes(invoice))),
    ]


EVENTS: dict[Event, tuple[str, ...]] = {
    dispute: ("registered", "approved"),
    resolve: ("disputed",),
    cancel: ("registered", "approved", "overdue"),
    withdraw: ("approved",),
    approve: ("registered",),
    credit: ("registered", "approved"),
    claim: ("early-paid", "overdue", "settled", "written-off", "recovered"),
    split: ("registered",),
    clear: ("registered", "approved"),
    decide: ("approved",),
    settle: ("approved", "early-paid", "overdue"),
    pay_early: ("approved",),
    extend: ("approved", "early-paid", "overdue"),
    overdue: ("approved", "early-paid"),
    write_off: ("overdue", "written-off"),
    recover: ("overdue", "written-off"),
    take_back: ("early-paid", "overdue"),
}
"""What can happen, and to invoices in which status."""
NEXT: dict[str, tuple[Event, ...]] = {
    "disputed": (dispute,),
    "overdue": (settle, extend, write_off, take_back),
    "written-off": (recover,),
}
SPOILING: tuple[Event, ...] = (dispute, cancel, withdraw, credit, split, pay_early)
"""What keeps an invoice from being paid early: it happens less often, so that many are."""


def of_facility(world: World, random: Random, name: str) -> list[Step]:
    """A financier changes its mind about a facility or a buyer."""
    facilities = [one for one in records(world, "facility/") if one["status"] != "closed"]
    if not facilities:
        return []
    one = random.choice(facilities)
    bank, itself, chance = one["financier"], {"facility_id": one["facility_id"]}, random.random()
    if one["status"] == "suspended":
        return [(bank, "ResumeFacility", itself)]
    if chance < 0.35:
        changed = terms(
            suppliers=one["suppliers"],
            limit_minor=random.choice([2_000_000, 3_000_000, 5_000_000]),
            supplier_limit_minor=2_000_000,
            rate_bps=random.choice([0, 500, 3_000]),
            mode=random.choice(["automatic", "manual"]),
            recourse=random.choice(["none", "dilution", "full", "full"]),
            two_step_above_minor=random.choice([0, 0, 500_000, 2**53 - 1]),
            manual_first=random.choice([0, 0, 3]),
            overdue_days_max=60,
            ack_days=60,
        )
        return [(bank, "ChangeFacility", itself | {"terms": changed})]
    if chance < 0.5:
        return [(bank, "SuspendFacility", itself | REASON), (bank, "ResumeFacility", itself)]
    again = {field: one[field] for field in ("buyer", "deposit", "day_count")} | terms(suppliers=one["suppliers"])
    again = {k: v for k, v in again.items() if k not in ("two_step_above_minor", "manual_first", "reserve_days")}
    another: Step = (bank, "OpenFacility", again | {"facility_id": hexid(name), "mode": "manual"})
    if chance < 0.55:
        return [(bank, "CloseFacility", itself), another]
    if chance < 0.8:
        held = {"msp_id": one["buyer"]}
        return [(bank, "HoldFunding", held | REASON), (bank, "LiftHold", held)]
    limit = {"buyer": one["buyer"], "currency": "EUR", "limit_minor": random.choice([1_000_000, 4_000_000, 8_000_000])}
    bounded: Step = (bank, "SetBuyerLimit", limit | {"facility_ids": [one["facility_id"]]})
    return [bounded, another][: random.choice([1, 1, 2])]


def of_deposit(world: World, random: Random, name: str, others: Sequence[str]) -> list[Step]:
    """Somebody moves its money, wants it paid out, or has to give it back."""
    accounts = [one for one in records(world, "account/cash/") if one["balance_minor"]]
    short = [one for one in accounts if one["name"].startswith("suspense:")]
    if short and random.random() < 0.7:
        one = random.choice(short)
        party, missing = one["party"], -one["balance_minor"]
        cover = {"deposit": one["unit"], "amount_minor": random.choice([missing, missing, 1])}
        money: Step = (FINANCIER, "IssueDeposit", deposit(name, to=party, amount_minor=missing))
        return [money, (party, "CoverShortfall", cover)]
    held = [one for one in accounts if one["name"].startswith("cash:")]
    if not held:
        return []
    one = random.choice(held)
    amount = part_of(random, one["balance_minor"])
    body, party, chance = {"deposit": one["unit"], "amount_minor": amount}, one["party"], random.random()
    issuer = one["unit"].partition("@")[2]
    if chance < 0.4:
        return [(party, "TransferDeposit", body | {"to": random.choice(others)})]
    if chance < 0.8:
        asked = [(party, "RedeemDeposit", body | {"redemption_id": hexid(name)})]
        twice = confirmation(f"{name} more", name) | often(random)
        which = {"redemption_id": hexid(name)}
        paid: Step = (issuer, "ConfirmRedemption", confirmation(name, name) | often(random))
        end = random.choice([[paid], [paid], [(issuer, "RejectRedemption", which | REASON)], []])
        if random.random() < 0.5:  # as much once more, and perhaps with the same reference
            asked.append((party, "RedeemDeposit", body | {"redemption_id": hexid(f"{name} more"), "amount_minor": 1}))
            asked[0][2]["amount_minor"] = 1
            end.append((issuer, "ConfirmRedemption", twice))
        return [*asked, *end]
    credits = [key for key in world.keys if key.startswith(f"booked_credit/{issuer}/")]
    if not credits:
        return []
    return [(issuer, "ReverseIssue", {"credit_reference": random.choice(credits).split("/")[2], **REASON})]
