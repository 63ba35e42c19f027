"""Rules on states that no command of today leads to, and the second locks behind the release check."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from world import MemoryStub, World, founded, paid, play
from world_bodies import BUYER, CARRIER, FINANCIER, SUPPLIER, hex64, hexid

from chaincode.batch import Overlay
from chaincode.errors import RecordError, Refusal
from chaincode.money import quote
from chaincode.records import Clearance, Facility, Fingerprint, Invoice, Mark, decode, encode, keys
from chaincode.rules import facilities, fingerprints, invoices
from chaincode.rules.books import cash, move

INVOICE, FACILITY = keys.invoice(hexid("invoice")), keys.facility(hexid("facility"))


def forge(world: World, key: str, **fields: Any) -> None:
    world.apply({key: json.dumps(world.read(key) | fields).encode()})


def waiting() -> World:
    """All but the approval is there."""
    world = founded()
    play(world, without=("approval",))
    return world


def reason(world: World, class_: str) -> str:
    return world.classes()[class_]


@pytest.mark.parametrize("msp_id", [SUPPLIER, BUYER, FINANCIER])
def test_a_suspended_party_is_not_financed(msp_id: str) -> None:
    world = waiting()
    forge(world, keys.party(msp_id), status="suspended")
    assert reason(world, "PARTIES") == "PARTY_NOT_ACTIVE"
    assert world.refusal(msp_id, "CheckRelease", invoice_ids=[hexid("invoice")]) == "PARTY_NOT_ACTIVE"


def test_what_a_suspended_party_attested_does_not_count() -> None:
    world = waiting()
    forge(world, keys.party("CarrierMSP"), status="suspended")
    assert reason(world, "INTEGRITY") == "ATTESTATIONS_MISSING"
    assert reason(world, "DELIVERY") == "ONLY_SUPPLIER_SAYS_SO"


def test_what_a_party_of_the_submitters_group_attested_does_not_count() -> None:
    world = waiting()
    assert reason(world, "UNIQUE") == "HOLDS"
    forge(world, keys.party(BUYER), group_id=f"{SUPPLIER}-group")
    assert reason(world, "UNIQUE") == "FINGERPRINTS_MISSING"


def test_a_closed_facility_pays_nothing() -> None:
    world = waiting()
    forge(world, FACILITY, status="closed")
    assert reason(world, "FACILITY") == "FACILITY_CLOSED"


def test_an_approval_of_something_else_is_noticed_again_at_release() -> None:
    world = founded()
    play(world, without=("request",))
    approval = world.read(INVOICE)["approval"]
    for other in ({"amount_minor": 1}, {"currency": "USD"}, {"due_date": "2027-01-23"}):
        forge(world, INVOICE, approval=approval | other)
        assert reason(world, "AMOUNT") == "FACTS_DIFFER"


def test_an_invoice_without_a_document_has_no_proof() -> None:
    world = waiting()
    forge(world, INVOICE, document_ids=[])
    assert reason(world, "INTEGRITY") == "NO_PROOF"


def test_a_cancelled_claim_makes_way_for_the_next_one() -> None:
    world = waiting()
    for key in [key for key in world.keys if key.startswith("fingerprint/")]:
        mine = world.read(key)["claims"][0]
        forge(world, key, claims=[mine | {"invoice_id": hexid("other"), "state": "cancelled"}, mine])
    assert reason(world, "UNIQUE") == "HOLDS"
    for key in [key for key in world.keys if key.startswith("fingerprint/")]:
        world.apply({key: None})
        assert reason(world, "UNIQUE") == "FINGERPRINTS_MISSING"


def stored(world: World, key: str) -> bytes:
    return world.state[key]


def test_what_is_paid_cannot_be_paid_again_even_past_the_release_check() -> None:
    world = paid()
    invoice, facility = decode(Invoice, stored(world, INVOICE)), decode(Facility, stored(world, FACILITY))
    offer = quote(1_000_000, 500, "ACT/360", 0, "2026-11-23", "2027-01-25")
    with pytest.raises(Refusal, match="NOT_RELEASABLE"):
        invoices.pay_early(invoice, facility, offer, "2026-11-23", "tx")
    claimed = [decode(Fingerprint, stored(world, key)) for key in fingerprints.claim_keys(invoice)]
    another = replace(invoice, invoice_id=hexid("another"), funded_on="")
    with_its_own, _ = fingerprints.claim([*claimed], another)
    cleared = replace(another, clearance=Clearance(hex64("reason"), (), "2026-11-23"))
    for as_claimed, one in ((claimed, invoice), (claimed, another), (with_its_own, another), (with_its_own, cleared)):
        with pytest.raises(Refusal, match="NOT_RELEASABLE"):
            fingerprints.finance(as_claimed, one)
    amount_alone, _ = fingerprints.claim([claimed[0], None], another)
    with pytest.raises(Refusal, match="NOT_RELEASABLE"):
        fingerprints.finance(amount_alone, another)
    assert all(one.claims[-1].state == "financed" for one in fingerprints.finance(amount_alone, cleared))


@pytest.mark.parametrize("other", [{"status": "overdue"}, {"holder": FINANCIER}, {"funded_on": "2026-11-23"}])
def test_only_what_is_approved_and_the_suppliers_and_never_funded_is_paid_early(other: dict[str, Any]) -> None:
    world = founded()
    play(world, without=("request",))
    invoice, facility = decode(Invoice, stored(world, INVOICE)), decode(Facility, stored(world, FACILITY))
    offer = quote(1_000_000, 500, "ACT/360", 0, "2026-11-23", "2027-01-25")
    assert invoices.pay_early(invoice, facility, offer, "2026-11-23", "tx").holder == FINANCIER
    with pytest.raises(Refusal, match="NOT_RELEASABLE"):
        invoices.pay_early(replace(invoice, **other), facility, offer, "2026-11-23", "tx")


@pytest.mark.parametrize(
    ("limit_minor", "supplier_limit_minor"), [(1_000_000, 1_000_000), (1_000_000, 5_000_000), (9_000_000, 1_000_000)]
)
def test_no_limit_can_be_passed_even_past_the_release_check(limit_minor: int, supplier_limit_minor: int) -> None:
    facility = decode(Facility, stored(paid(), FACILITY))
    full = replace(facility, limit_minor=limit_minor, supplier_limit_minor=supplier_limit_minor)
    with pytest.raises(Refusal, match="NOT_RELEASABLE"):
        facilities.use(full, SUPPLIER, 1)
    one_more = replace(full, limit_minor=limit_minor + 1, supplier_limit_minor=supplier_limit_minor + 1)
    used = facilities.use(one_more, SUPPLIER, 1)
    assert (used.used_minor, used.used_by_supplier, used.funded_count) == (1_000_001, {SUPPLIER: 1_000_001}, 2)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_what_comes_back_needs_no_room_and_counts_as_no_funding(amount_minor: int) -> None:
    facility = replace(decode(Facility, stored(paid(), FACILITY)), limit_minor=1, supplier_limit_minor=1)
    used = facilities.use(facility, SUPPLIER, amount_minor)
    assert (used.used_minor, used.funded_count) == (1_000_000 + amount_minor, 1)


def test_nobody_pays_itself() -> None:
    movement = cash("EUR@BankMSP", "BuyerMSP", "BuyerMSP", 1, "settle")
    with pytest.raises(AssertionError):
        move(dict.fromkeys(movement.account_keys()), movement, 0)


def test_an_issuer_pays_by_issuing_and_extinguishes_what_it_receives() -> None:
    paid_out = cash("EUR@BankMSP", "BuyerMSP", "BankMSP", 70, "issue")
    accounts = move(dict.fromkeys(paid_out.account_keys()), paid_out, 70)
    assert {account.name: account.balance_minor for account in accounts.values()} == {
        "cash:BuyerMSP": 70,
        "issued:BankMSP": -70,
    }
    back = cash("EUR@BankMSP", "BankMSP", "BuyerMSP", 70, "settle")
    assert {account.balance_minor for account in move(accounts, back, 0).values()} == {0}


BROKEN_RECORDS = {
    "not an object": (Mark, b"[]"),
    "no version": (Mark, b"{}"),
    "a version that is true": (Mark, b'{"version":true}'),
    "a field too many": (Mark, b'{"version":1,"x":1}'),
}


@pytest.mark.parametrize("name", BROKEN_RECORDS)
def test_bytes_that_are_no_record_are_not_read(name: str) -> None:
    with pytest.raises(RecordError):
        decode(*BROKEN_RECORDS[name])


BROKEN_FIELDS: dict[str, tuple[type[Any], str, dict[str, Any]]] = {
    "parts that are not the face": (Invoice, INVOICE, {"face_minor": 1}),
    "a sum that is none": (Facility, FACILITY, {"used_minor": 1}),
    "a float": (Facility, FACILITY, {"rate_bps": 5.5}),
    "a list": (Invoice, INVOICE, {"approval": []}),
}


@pytest.mark.parametrize("name", BROKEN_FIELDS)
def test_a_record_that_contradicts_itself_is_not_read(name: str) -> None:
    record_type, key, fields = BROKEN_FIELDS[name]
    world = paid()
    forge(world, key, **fields)
    with pytest.raises(RecordError):
        decode(record_type, stored(world, key))


def test_an_overdrawn_account_is_not_read() -> None:
    from chaincode.records import Account

    data = encode(Account("cash", "EUR@BankMSP", "", "cash:BuyerMSP", "BuyerMSP", 0, 0))
    with pytest.raises(RecordError):
        decode(Account, data.replace(b'"balance_minor":0', b'"balance_minor":-1'))
    with pytest.raises(RecordError):
        Account("cash", "EUR@BankMSP", "", "suspense:BankMSP", "BankMSP", 1, 0)
    with pytest.raises(RecordError):
        Account("cash", "EUR@BankMSP", "", "issued:BankMSP", "BankMSP", 2**53, 0)


def test_records_survive_the_way_to_bytes_and_back() -> None:
    world = paid()
    for record_type, key in ((Invoice, INVOICE), (Facility, FACILITY)):
        assert encode(decode(record_type, stored(world, key))) == stored(world, key)


def test_an_overlay_is_the_same_transaction() -> None:
    stub = MemoryStub(founded(), SUPPLIER, "tx", 7)
    overlay = Overlay(stub)
    seen = (overlay.tx_id, overlay.channel_id, overlay.timestamp, overlay.msp_id, overlay.creator_certificate)
    assert seen == ("tx", "test", 7, SUPPLIER, b"")


def test_endorsers_of_a_key_reach_the_ledger_only_with_the_command_that_set_them() -> None:
    stub = MemoryStub(founded(), SUPPLIER, "tx", 7)
    batch = Overlay(stub)
    refused, applied = Overlay(batch), Overlay(batch)
    refused.set_key_endorsers("a", [BUYER])
    applied.put_state("b", b"1")
    applied.set_key_endorsers("b", [SUPPLIER])
    applied.set_key_endorsers("b", [SUPPLIER, BUYER], [CARRIER], 1)
    applied.merge()
    assert stub.endorsers == {}
    batch.merge()
    assert (stub.endorsers, stub.writes) == ({"b": ((SUPPLIER, BUYER), (CARRIER,), 1)}, {"b": b"1"})
