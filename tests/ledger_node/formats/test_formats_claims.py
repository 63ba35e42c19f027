"""Types and means of payment: what claims no money is refused by its code, what no holder can be paid by is said."""

from __future__ import annotations

import re

import pytest
from trade_papers import cii, credit_note_ubl, swap, ubl

from ledger_node.formats import FormatError
from ledger_node.formats.claims import CLAIM_TYPES, COLLECTED, PREPAYMENT, conditions
from ledger_node.formats.ubl_cii import read_credit_note, read_invoice

# EN 16931, rule BR-CL-01 of release 1.3.16, for an Invoice; the credit notes of its other list stand below.
BR_CL_01 = frozenset(
    re.findall(
        "[0-9]+",
        "71 80 81 82 84 102 130 202 203 204 211 218 219 295 325 326 331 380 382 383 384 385 386 387 388 389 390 393 "
        "394 395 456 457 471 472 473 500 501 527 553 575 623 633 751 780 817 870 875 876 877 935",
    )
)
CREDIT_NOTES = ["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"]
FACTORED = ["393", "472", "473", "501", "919", "920"]
NO_CLAIM = ["71", "102", "130", "202", "203", "204", "211", "218", "219"]
NO_CLAIM += ["325", "395", "456", "457", "553", "751", "817", "870", "935"]


def _refusal(content: bytes) -> FormatError:
    with pytest.raises(FormatError) as refusal:
        read_invoice(content)
    return refusal.value


def _of_type(syntax: str, code: str) -> bytes:
    if syntax == "ubl":
        return swap(ubl(), ">380<", f">{code}<")
    return cii(type_code=code)


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
@pytest.mark.parametrize(
    ("codes", "refused"),
    [
        (FACTORED, "NO_CLAIM"),
        (NO_CLAIM, "NO_CLAIM"),
        (CREDIT_NOTES, "CREDIT_NOTE"),
        (["999", "ABC", "480", "0", "38O", "380 381", "0380"], "TYPE_CODE"),
    ],
)
def test_a_type_that_claims_no_money_is_refused_with_its_code(syntax: str, codes: list[str], refused: str) -> None:
    found = {code: _refusal(_of_type(syntax, code)) for code in codes}
    assert {code: refused for code in codes} == {code: str(refusal.code) for code, refusal in found.items()}
    assert all(code in refusal.text for code, refusal in found.items())
    assert all(refusal.remedy for refusal in found.values())


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_the_types_of_the_norm_that_claim_money_are_taken(syntax: str) -> None:
    for code in set(CLAIM_TYPES) - {"384", "471"}:
        assert code == read_invoice(_of_type(syntax, code)).type_code


def test_every_type_of_the_norm_is_either_taken_or_named_as_what_it_is() -> None:
    assert {*CLAIM_TYPES} == BR_CL_01 - {*CREDIT_NOTES} - {*FACTORED} - {*NO_CLAIM}


def test_a_negative_invoice_and_a_credit_note_tell_the_way_that_works() -> None:
    negative = _refusal(swap(ubl(), ">1000.50</cbc:PayableAmount>", ">-1000.50</cbc:PayableAmount>"))
    note = _refusal(ubl().replace(b"Invoice-2", b"CreditNote-2").replace(b"Invoice", b"CreditNote"))
    assert [negative.code, note.code] == ["CREDIT_NOTE"] * 2
    assert all("invoice credit-note" in each.remedy for each in (negative, note))


def test_a_credit_note_is_read_by_its_root_its_type_or_an_amount_below_zero() -> None:
    negative = cii(preceding=["C-0"]).replace(b">1000.00<", b">-1000.00<")
    negative = negative.replace(b">190.00<", b">-190.00<").replace(b">1190.00<", b">-1190.00<")
    for content, minor in (
        (credit_note_ubl(net_minor=10_000, preceding=["C-0"]), 10_000),
        (cii(type_code="381", preceding=["C-0"]), 119_000),
        (negative, 119_000),
    ):
        note = read_credit_note(content)
        assert (minor, "EUR", ("C-0",)) == (note.amount_minor, note.currency, note.preceding_references)
        assert _refusal(content).code == "CREDIT_NOTE"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ubl(), "NOT_A_CREDIT_NOTE"),
        (swap(credit_note_ubl(), ">100.00</cbc:PayableAmount>", ">-100.00</cbc:PayableAmount>"), "NOT_A_CREDIT_NOTE"),
        (swap(credit_note_ubl(), ">100.00</cbc:PayableAmount>", ">1000.00</cbc:PayableAmount>"), "TOTALS"),
        (swap(credit_note_ubl(), ">381<", "><"), "MISSING"),
        (b"<x/>", "NOT_AN_INVOICE"),
    ],
)
def test_what_is_no_credit_note_or_does_not_add_up_is_refused_as_one(content: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refusal:
        read_credit_note(content)
    assert code == refusal.value.code


@pytest.mark.parametrize("means", ["59", "49", "48", "54", "55", "68", "31", "60", "70", "97"])
def test_what_the_supplier_collects_itself_is_no_claim_that_a_holder_can_be_paid(means: str) -> None:
    in_ubl = read_invoice(swap(ubl(), ">30</cbc:PaymentMeansCode>", f">{means}</cbc:PaymentMeansCode>"))
    in_cii = read_invoice(cii(means=means))
    assert ((means,), (means,)) == (in_ubl.payment_means, in_cii.payment_means)
    assert conditions(in_cii.type_code, in_cii.payment_means) == (COLLECTED,)


@pytest.mark.parametrize("means", ["30", "58", "42", "57", "1", "10", "20", "ZZZ"])
def test_what_the_buyer_pays_itself_can_be_paid_to_a_holder(means: str) -> None:
    assert conditions("380", read_invoice(cii(means=means)).payment_means) == ()


def test_one_means_of_several_that_is_collected_is_enough() -> None:
    assert conditions("380", ("30", "59")) == (COLLECTED,)


@pytest.mark.parametrize("code", ["386", "500"])
def test_a_prepayment_is_told_from_other_claims(code: str) -> None:
    facts = read_invoice(_of_type("ubl", code))
    assert conditions(facts.type_code, facts.payment_means) == (PREPAYMENT,)
    assert conditions("380", facts.payment_means) == ()


@pytest.mark.parametrize("code", ["384", "471"])
def test_a_correction_must_name_what_it_corrects(code: str) -> None:
    assert _refusal(cii(type_code=code)).code == "MISSING"
    assert read_invoice(cii(type_code=code, preceding=["C-0"])).preceding_references == ("C-0",)
