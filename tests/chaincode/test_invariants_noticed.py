"""A check that never fails is none: each invariant's check is given a state, or a step, that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from invariants import check_state, check_step
from world import World, paid
from world_bodies import BUYER, CARRIER, DAY, DEPOSIT, FINANCIER, SUPPLIER, deposit, hex64, hexid, seal

from chaincode.records import BookedCredit, IssuedDeposit, encode


def changed(key: str, **fields: Any) -> Callable[[World], None]:
    """Forge some fields of a record."""
    return lambda world: world.apply({key: json.dumps(world.read(key) | fields).encode()})


def account_moved(key: str, amount_minor: int) -> Callable[[World], None]:
    """Forge the balance of an account."""

    def forge(world: World) -> None:
        changed(key, balance_minor=world.read(key)["balance_minor"] + amount_minor)(world)

    return forge


def both(*forgeries: Callable[[World], None]) -> Callable[[World], None]:
    def forge(world: World) -> None:
        for forgery in forgeries:
            forgery(world)

    return forge


def without(prefix: str) -> Callable[[World], None]:
    """Take away all records under a prefix."""
    return lambda world: world.apply({key: None for key in world.keys if key.startswith(prefix)})


def told_twice(**fields: Any) -> Callable[[World], None]:
    """Put an event among the carrier's once more, with some fields forged."""

    def forge(world: World) -> None:
        (event,) = world.read(DELIVERED)["events"]
        changed(DELIVERED, events=[event, event | fields])(world)

    return forge


def claims(*states: str) -> Callable[[World], None]:
    claim = {"invoice_id": hexid("invoice"), "supplier": SUPPLIER}
    return changed(
        f"fingerprint/1/number/{SUPPLIER}/{hex64('number invoice')}",
        claims=[claim | {"state": state} for state in states],
    )


INVOICE, FACILITY = f"invoice/{hexid('invoice')}", f"facility/{hexid('facility')}"
CASH, ISSUED = f"account/cash/{DEPOSIT}/cash:{SUPPLIER}", f"account/cash/{DEPOSIT}/issued:{FINANCIER}"
DELIVERED = f"shipment_reports/{hexid('shipment')}/{CARRIER}"
ISSUED_BEFORE = encode(BookedCredit(IssuedDeposit(DEPOSIT, BUYER, 1, DAY, hex64("reference"), DAY)))
FORGED_STATES: dict[str, Callable[[World], None]] = {
    "1 a balance nobody moved": account_moved(CASH, 1),
    "1 a balance without entries": both(account_moved(CASH, 1), account_moved(ISSUED, -1)),
    "1 an entry without a balance": without(f"entry/{FINANCIER}"),
    "4 parts that are not the face": changed(INVOICE, face_minor=1),
    "5 a payment that the invoice does not know": changed(INVOICE, early_payment=None),
    "6 a fingerprint financed twice": claims("financed", "financed"),
    "6 a paid invoice with a claim that is free": claims("registered"),
    "7 limits that nobody uses": changed(FACILITY, used_minor=0, used_by_supplier={}),
    "8 a paid invoice that is approved again": changed(INVOICE, status="approved"),
    "11 another currency": changed(INVOICE, facts={"currency": "USD", "due_date": "2027-01-22"}),
    "13 a holder that is not owed": changed(INVOICE, holder=SUPPLIER),
    "a list that has lost an invoice": without("unacknowledged/"),
    "19 a delivery that stands twice": told_twice(event_id=hexid("x")),
    "19 an event that stands twice": told_twice(type="in_transit"),
    "19 told again, and never told": changed(DELIVERED, retold={hexid("again"): hexid("never told")}),
    "19 an issue that looks like none": lambda world: world.apply({f"booked_credit/{FINANCIER}/x": ISSUED_BEFORE}),
}


@pytest.mark.parametrize("name", FORGED_STATES)
def test_a_state_that_breaks_an_invariant_is_noticed(name: str) -> None:
    world = paid()
    check_state(world.state)
    FORGED_STATES[name](world)
    with pytest.raises(AssertionError):
        check_state(world.state)


def status(value: str) -> Callable[[World], None]:
    return changed(INVOICE, status=value)


def held(world: World) -> None:
    """The financier holds all funding of the buyer."""
    world.apply({f"hold/{FINANCIER}/{BUYER}": b"{}"})


FORGED_STEPS = {
    "6 a financed claim set free": claims("registered"),
    "8 a paid invoice that is registered again": status("registered"),
    "10 a command's answer changed": changed(f"command/{FINANCIER}/{hexid('issue')}", result={}),
    "10 a seal changed": changed(f"seal/{hexid('seal')}", size=4),
    "10 an entry changed": changed(f"entry/{FINANCIER}/{hexid('issue')}/000", amount_minor=1),
    "14 a day that went back": changed("day", date="2026-11-22"),
    "14 a day that went far": changed("day", date="2026-11-25"),
}


@pytest.mark.parametrize("name", FORGED_STEPS)
def test_a_step_that_breaks_an_invariant_is_noticed(name: str) -> None:
    world = paid()
    world.run(FINANCIER, "IssueDeposit", command_id=hexid("issue"), **deposit())
    world.must(SUPPLIER, "SealDocuments", **seal())
    before = dict(world.state)
    assert check_step(before, world.state) == 0
    FORGED_STEPS[name](world)
    with pytest.raises(AssertionError):
        check_step(before, world.state)


FORGED_EVIDENCE = {
    "a buyer on hold": held,
    "terms that were changed": changed(
        FACILITY, pending={"from_day": "2026-11-23", "terms": {"limit_minor": 999_999, "supplier_limit_minor": 999_999}}
    ),
    "7 a limit that is passed": changed(FACILITY, limit_minor=999_999),
    "7 a supplier's limit that is passed": changed(FACILITY, supplier_limit_minor=999_999),
    "8 an arrow that is none": status("recovered"),
    "a mismatch": changed(f"attestation/{hexid('proof')}/{BUYER}", verdict="mismatch"),
    "too few attestations": without(f"attestation/{hexid('proof')}/{BUYER}"),
    "other facts": changed(f"attestation/{hexid('document')}/{BUYER}", facts={"amount_minor": 1}),
    "other fingerprints": changed(f"attestation/{hexid('document')}/{BUYER}", fingerprints={}),
    "no delivery": without("shipment_reports/"),
    "a carrier that is not accepted": changed(f"shipment/{hexid('shipment')}", carrier_accepted=False),
    "no request for this facility": changed(f"request/{hexid('invoice')}", facility_ids=[hexid("another")]),
    "a net below the smallest": changed(f"request/{hexid('invoice')}", net_min_minor=10**6),
    "related parties": changed("party/SupplierMSP", group_id="BuyerMSP-group"),
    "a facility for another buyer": changed(FACILITY, buyer="BuyerTwoMSP"),
}


@pytest.mark.parametrize("name", FORGED_EVIDENCE)
def test_a_payment_that_the_evidence_does_not_bear_out_is_noticed(name: str) -> None:
    world = paid()
    assert check_step({}, world.state) == 1
    FORGED_EVIDENCE[name](world)
    with pytest.raises(AssertionError):
        check_step({}, world.state)
