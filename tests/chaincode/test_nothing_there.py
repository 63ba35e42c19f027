"""What a rule makes of a record that is not there, or that an older ledger did not keep."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from life_worlds import REASON, part, terms
from refusal_rows import with_money
from world import founded, paid, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    SUPPLIER,
    attestation,
    body,
    deposit,
    document,
    facility,
    hex64,
    hexid,
    request,
    story,
)

from chaincode.records import (
    Account,
    BookedCredit,
    Facility,
    FacilityTerms,
    Invoice,
    IssuedDeposit,
    Party,
    bodies,
    decode,
    encode,
    keys,
)
from chaincode.rules import deposits, documents, duplicates, facilities, fingerprints, holds, persons
from chaincode.rules.books import Movement, cash, move, obligation, spendable_minor
from chaincode.rules.documents import is_independent

MONEY = "EUR@BankMSP"


@pytest.mark.parametrize(("name", "minor"), [("cash:BuyerMSP", 0), ("issued:BankMSP", 70)])
def test_out_of_an_account_that_nothing_has_moved_on_only_its_issuer_can_pay(name: str, minor: int) -> None:
    assert spendable_minor(None, name, 70) == minor


@pytest.mark.parametrize(
    ("movement", "debited"),
    [
        (
            cash(MONEY, "BuyerMSP", "BankMSP", 70, "settle", "an invoice"),
            Account("cash", MONEY, "", "cash:BuyerMSP", "BuyerMSP", 70, 0),
        ),
        (
            obligation("an invoice", "EUR", "recv:BankMSP", "pay:BuyerMSP", 70, "approve"),
            Account("obligation", "EUR", "an invoice", "recv:BankMSP", "BankMSP", 70, 0),
        ),
    ],
)
def test_an_account_is_opened_by_what_moves_first_and_one_of_money_belongs_to_no_invoice(
    movement: Movement, debited: Account
) -> None:
    accounts = move(dict.fromkeys(movement.account_keys()), movement, 70)
    assert accounts[movement.account_keys()[0]] == debited


def test_what_was_issued_and_never_arrived_is_not_covered() -> None:
    issued = IssuedDeposit(MONEY, "BuyerMSP", 70, "2026-11-23", "", "2026-11-23")
    asked = bodies.ReverseIssue(credit_reference=hex64("credit"), reason_commitment=hex64("reason"))
    assert deposits.reverse(BookedCredit(issued), None, asked) == (BookedCredit(issued, reversed=True), issued, 0)


def test_a_credit_of_an_older_ledger_that_did_not_keep_what_was_issued_is_not_taken_back() -> None:
    world = with_money()
    key = keys.booked_credit(FINANCIER, deposit()["credit_reference"])
    world.apply({key: encode(BookedCredit(None))})
    refused = world.refusal(FINANCIER, "ReverseIssue", credit_reference=deposit()["credit_reference"], **REASON)
    assert refused == "CREDIT_UNKNOWN"


def test_nobody_is_independent_of_a_party_that_nobody_knows() -> None:
    assert not is_independent(active(SUPPLIER), None)


def test_a_carrier_that_nobody_knows_is_no_witness() -> None:
    world = founded()
    steps = story() | body("proof", entitled=[BUYER, FINANCIER])
    steps["carrier proof"] = (FINANCIER, "AttestDocument", attestation("proof"))
    play(world, steps, without=("approval",))
    assert world.classes()["DELIVERY"] == "HOLDS"
    world.apply({keys.party(CARRIER): None})
    assert world.classes()["DELIVERY"] == "ONLY_SUPPLIER_SAYS_SO"


def registered() -> Invoice:
    """An invoice that may be split."""
    world = founded()
    play(world, without=("approval", "request"))
    return decode(Invoice, world.state[keys.invoice(hexid("invoice"))])


def active(msp_id: str) -> Party:
    return decode(Party, founded().state[keys.party(msp_id)])


def split_in_two() -> bodies.SplitInvoice:
    parts = (part("part 1", 400_000, "shipment"), part("part 2", 600_000))
    return bodies.SplitInvoice(hexid("invoice"), tuple(bodies.InvoicePart(**one) for one in parts))


def changed_terms() -> object:
    offer = decode(Facility, paid().state[keys.facility(hexid("facility"))])
    asked = bodies.ChangeFacility(hexid("facility"), FacilityTerms(**FacilityTerms.LATER, **terms()))
    return facilities.change(offer, [], FINANCIER, asked, DAY)


TOO_FEW: dict[str, Callable[[], object]] = {
    "entitled": lambda: documents.register(None, [], SUPPLIER, bodies.RegisterDocument(**document("document")), DAY),
    "parts": lambda: duplicates.split(registered(), [], {}, SUPPLIER, split_in_two(), DAY),
    "suppliers": lambda: facilities.open_facility(
        None, active(BUYER), [], active(FINANCIER), FINANCIER, bodies.OpenFacility(**facility()), DAY
    ),
    "suppliers of new terms": changed_terms,
    "facilities asked": lambda: facilities.request(
        registered(), [], SUPPLIER, bodies.RequestEarlyPayment(**request()), DAY
    ),
    "fingerprints": lambda: fingerprints.claim([], registered()),
    "facilities under a limit": lambda: holds.limit_buyer(
        None, [], [], FINANCIER, bodies.SetBuyerLimit(BUYER, "EUR", 1, (hexid("facility"),)), DAY, DAY
    ),
    "persons": lambda: persons.require_known([hex64("person")], []),
}


@pytest.mark.parametrize("what", TOO_FEW)
def test_a_rule_is_given_something_or_nothing_for_each_that_is_named(what: str) -> None:
    with pytest.raises(ValueError, match="shorter"):
        TOO_FEW[what]()
