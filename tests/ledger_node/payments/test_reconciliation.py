"""What a bank's file means for deposit money: certain rows say what to do, uncertain ones why a person must look."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from bank_files import OTHER, OWN, camt_054, detail, entry, pain_002

from ledger_node.api import payments as described
from ledger_node.formats import fingerprints
from ledger_node.formats.bank_statement import read_statement
from ledger_node.formats.payment_status import read_payment_status
from ledger_node.payments import Row, Standing, follow, reconcile, reconciliation

KEY = b"k" * 32
REDEMPTION = {
    "redemption_id": "ab12",
    "party": "SupplierMSP",
    "deposit": "EUR@BankMSP",
    "amount_minor": 10000,
    "payout_fingerprint": fingerprints.account(KEY, OTHER),
    "status": "requested",
    "payment_reference": "",
}
PAID = {"status": "confirmed", "payment_reference": fingerprints.credit_reference(KEY, "BANK-1", "2026-11-27")}
CREDIT = fingerprints.credit_reference(KEY, "BANK-1", "2026-11-27")
ISSUED = {"issued": {"to": "SupplierMSP", "amount_minor": 10000}, "reversed": False}


def standing(**changed: Any) -> Standing:
    """An issuer that knows one supplier."""
    parties = [{"msp_id": "SupplierMSP", "payout_fingerprint": fingerprints.account(KEY, OTHER)}]
    known: dict[str, Any] = {"account": OWN, "parties": tuple(parties), "credits": {}, "redemptions": {}} | changed
    return Standing(
        key=KEY,
        issuer="BankMSP",
        account=known["account"],
        parties=known["parties"],
        booked_credit=known["credits"].get,
        redemption=known["redemptions"].get,
    )


def row(content: bytes, **changed: Any) -> Row:
    """The only row of a statement."""
    (found,) = reconcile(standing(**changed), read_statement(content))
    return found


def test_the_api_describes_every_state() -> None:
    assert get_args(described.State) == get_args(reconciliation.State)


def test_a_credit_is_the_money_of_the_party_from_whose_account_it_came() -> None:
    found = row(camt_054(entry()))
    assert (found.state, found.party) == ("to_issue", "SupplierMSP")
    assert row(camt_054(entry()), account=OWN.lower()[:4] + " " + OWN[4:]).state == "to_issue"


@pytest.mark.parametrize(
    ("record", "state", "why"),
    [
        (ISSUED, "issued", ""),
        ({**ISSUED, "reversed": True}, "taken_back", ""),
        ({"issued": None, "reversed": False}, "issued", ""),
        ({**ISSUED, "issued": {"to": "SupplierMSP", "amount_minor": 9999}}, "open", "another amount was issued"),
    ],
)
def test_a_credit_that_was_issued_against_is_never_to_be_issued_again(
    record: dict[str, Any], state: str, why: str
) -> None:
    found = row(camt_054(entry()), credits={CREDIT: record})
    assert (found.state, found.why[: len(why)]) == (state, why)


@pytest.mark.parametrize(
    ("content", "changed", "why"),
    [
        (camt_054(entry(reference="")), {}, "the bank gives no reference"),
        (camt_054(entry(details=[detail(account="")])), {}, "no party has registered"),
        (camt_054(entry(details=[detail(account="FR7612345")])), {}, "no party has registered"),
        (camt_054(entry()), {"parties": ()}, "no party has registered"),
        (camt_054(entry()), {"parties": standing().parties * 2}, "several parties have"),
        (camt_054(entry()), {"parties": ({**standing().parties[0], "msp_id": "BankMSP"},)}, "it came from the issuer"),
    ],
)
def test_a_credit_that_is_nobody_s_for_certain_is_left_to_a_person(
    content: bytes, changed: dict[str, Any], why: str
) -> None:
    found = row(content, **changed)
    assert (found.state, found.why[: len(why)]) == ("open", why)


def test_money_that_goes_back_is_shown_to_a_person() -> None:
    back = detail(more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>", refs="<EndToEndId>ab12</EndToEndId>")
    returned = row(camt_054(entry(details=[back])), redemptions={"ab12": REDEMPTION | PAID})
    assert (returned.state, returned.redemption_id) == ("open", "ab12")
    assert row(camt_054(entry(details=[back]))).state == "not_counted"
    reversal = camt_054(entry(direction="DBIT", reversal="<RvslInd>true</RvslInd>"))
    assert row(reversal, credits={CREDIT: ISSUED}).state == "open"
    assert row(reversal, credits={CREDIT: ISSUED | {"reversed": True}}).state == "not_counted"
    assert row(reversal).state == "not_counted"


def test_a_credit_that_was_issued_to_another_is_not_called_issued() -> None:
    other = {"msp_id": "OtherMSP", "payout_fingerprint": fingerprints.account(KEY, OTHER)}
    found = row(camt_054(entry()), credits={CREDIT: ISSUED}, parties=(other,))
    assert (found.state, found.why[:16]) == ("open", "it was issued to")


def test_what_is_booked_on_another_account_is_no_deposit_money() -> None:
    assert row(camt_054(entry(), account=OTHER)).state == "not_counted"
    assert row(camt_054(entry(reversal="<RvslInd>true</RvslInd>"))).why == "taken back (a reversal)"


def paid(amount: str = "100.00", account: str = OTHER, name: str = "ab12") -> bytes:
    """A debit that says which redemption it pays."""
    part = detail(amount, account, f"<EndToEndId>{name}</EndToEndId>", "Cdtr")
    return camt_054(entry(amount, [part], direction="DBIT", code="ICDT"))


def test_a_debit_with_id_amount_and_account_of_a_redemption_pays_it() -> None:
    found = row(paid(), redemptions={"ab12": REDEMPTION})
    assert (found.state, found.redemption_id, found.party) == ("to_confirm", "ab12", "SupplierMSP")
    assert row(paid(account=""), redemptions={"ab12": REDEMPTION}).state == "to_confirm"  # many banks do not tell it
    assert row(paid(), redemptions={"ab12": REDEMPTION | PAID}).state == "confirmed"


@pytest.mark.parametrize(
    ("content", "change", "why"),
    [
        (paid(name="other"), {}, "it carries the id of no redemption"),
        (paid("99.99"), {}, "the redemption is over another amount"),
        (paid(), {"deposit": "CHF@BankMSP"}, "the redemption is over another amount"),
        (paid(account="FR7612345"), {}, "it went to another account"),
        (paid(), {"status": "rejected"}, "the redemption was rejected, and was paid all the same"),
        (paid(), PAID | {"payment_reference": "0" * 64}, "the redemption was confirmed by another payment"),
    ],
)
def test_a_debit_that_is_not_certain_confirms_nothing(content: bytes, change: dict[str, Any], why: str) -> None:
    found = row(content, redemptions={"ab12": REDEMPTION | change})
    assert (found.state, found.why[: len(why)]) == ("open", why)


@pytest.mark.parametrize(
    ("status", "order", "state"),
    [
        ("RJCT", "ab12", "rejected"),
        ("ACSC", "ab12", "promised"),
        ("PDNG", "ab12", "promised"),
        ("RJCT", "zz", "open"),
    ],
)
def test_a_bank_s_word_is_never_a_confirmation(status: str, order: str, state: str) -> None:
    rows = follow(standing(redemptions={"ab12": REDEMPTION}), read_payment_status(pain_002(status, order)))
    assert [(each.state, each.why[:4]) for each in rows] == [(state, "zz i" if order == "zz" else status)]
