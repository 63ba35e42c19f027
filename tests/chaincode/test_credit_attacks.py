"""Ways in which credit notes, or reports that a supplier makes itself, could take from the others."""

from __future__ import annotations

import pytest
from invariants import check_state
from life_worlds import ID, REASON, credit_note, funded, happening, obligations, read, supplier_has_money
from world import World
from world_bodies import BUYER, DEPOSIT, FINANCIER, SUPPLIER, approval, deposit, hexid


def noted(world: World, name: str, amount_minor: int) -> str:
    """The code of what the ledger answers to a credit note, empty when it is recorded."""
    note = credit_note(credit_note_id=hexid(name), amount_minor=amount_minor)
    return str(world.run(SUPPLIER, "RecordCreditNote", **note).get("code", ""))


def paid(world: World, name: str) -> None:
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid(name), deposit=DEPOSIT)


def bought_back() -> World:
    """An invoice that the supplier has bought back, and on which it owes the buyer for a credit note of 6 000.00."""
    world = happening(funded, supplier_has_money)
    assert noted(world, "first", 600_000) == ""
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    return world


def test_credit_notes_that_are_paid_one_by_one_never_come_to_more_than_the_invoice() -> None:
    world = happening(funded, supplier_has_money)
    for number in range(2):
        assert noted(world, f"{number}", 500_000) == ""
        paid(world, f"{number}")
    assert (read(world)["claims_minor"], read(world)["claimed_minor"]) == (0, 1_000_000)
    assert noted(world, "one too many", 1) == "CREDIT_EXCEEDS"
    check_state(world.state)


def test_credit_notes_from_before_and_after_a_repurchase_together_leave_something_to_be_claimed() -> None:
    world = bought_back()
    assert noted(world, "second", 400_000) == "CREDIT_EXCEEDS"
    assert noted(world, "second", 399_999) == ""
    world.must(BUYER, "ApproveInvoice", **approval(amount_minor=600_001))
    check_state(world.state)


def test_an_invoice_is_not_cancelled_away_from_under_a_claim_of_the_buyer() -> None:
    world = bought_back()
    assert world.refusal(SUPPLIER, "CancelInvoice", **ID, **REASON) == "CLAIMS_OPEN"
    world.must(BUYER, "DisputeInvoice", **ID, **REASON)
    assert world.refusal(BUYER, "ResolveDispute", **ID, outcome="cancelled") == "CLAIMS_OPEN"
    world.must(FINANCIER, "IssueDeposit", **deposit("for the claim", to=SUPPLIER))
    paid(world, "first")
    world.must(BUYER, "ResolveDispute", **ID, outcome="cancelled")
    assert (read(world)["status"], obligations(world)) == ("cancelled", {})
    check_state(world.state)


def of_dilution() -> World:
    """Paid early by a facility with recourse for dilution, and the supplier has the money to buy back."""
    return happening(lambda: funded("dilution"), supplier_has_money)


def reported(world: World, msp_id: str) -> None:
    world.must(msp_id, "ReportMisdirectedPayment", report_id=hexid(f"by {msp_id}"), **ID, amount_minor=1)


def test_a_supplier_does_not_open_recourse_for_dilution_by_its_own_word() -> None:
    world = of_dilution()
    reported(world, SUPPLIER)
    assert noted(world, "a cent", 1) == ""
    assert world.refusal(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == "RECOURSE_MISSING"


@pytest.mark.parametrize("reporter", [BUYER, FINANCIER])
def test_the_buyers_or_the_holders_word_opens_recourse_for_dilution(reporter: str) -> None:
    world = of_dilution()
    reported(world, reporter)
    assert (read(world)["misdirected_minor"], read(world)["diluted_minor"]) == (1, 1)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)


def test_without_recourse_nobodys_word_opens_any() -> None:
    world = happening(lambda: funded("none"), supplier_has_money)
    for msp_id in (BUYER, FINANCIER):
        reported(world, msp_id)
    assert world.refusal(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == "RECOURSE_MISSING"
