"""Totals: the amount due follows from the lines by the rules of EN 16931, or the rule that it breaks is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trade_papers import GROSS_MINOR, NET_MINOR, cii, swap, ubl

from ledger_node.formats import FormatError
from ledger_node.formats.ubl_cii import read_invoice

EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
BASIC_WL = "urn:factur-x.eu:1p0:basicwl"


def _refusal(content: bytes) -> str:
    with pytest.raises(FormatError) as refusal:
        read_invoice(content)
    return f"{refusal.value.code} {refusal.value.text.partition(':')[0]}"


def _without_lines(content: bytes) -> bytes:
    end = b"</ram:IncludedSupplyChainTradeLineItem>"
    return (
        content[: content.index(b"<ram:IncludedSupplyChainTradeLineItem>")] + content[content.index(end) + len(end) :]
    )


@pytest.mark.parametrize(
    ("term", "right", "wrong", "rule"),
    [
        ("cbc:LineExtensionAmount", "1000.50", "1000.51", "BR-CO-10"),
        ("cbc:TaxExclusiveAmount", "1000.50", "1000.49", "BR-CO-13"),
        ("cbc:TaxInclusiveAmount", "1000.50", "100050.00", "BR-CO-15"),
        ("cbc:PayableAmount", "1000.50", "100050.00", "BR-CO-16"),
    ],
)
def test_a_total_of_ubl_that_does_not_follow_is_refused_by_its_rule(
    term: str, right: str, wrong: str, rule: str
) -> None:
    content = ubl()
    totals = content.index(b"<cac:LegalMonetaryTotal>")
    changed = content[totals:].replace(f">{right}</{term}>".encode(), f">{wrong}</{term}>".encode(), 1)
    assert _refusal(content[:totals] + changed) == f"TOTALS {rule}"
    assert read_invoice(content).amount_minor == 100_050


@pytest.mark.parametrize(
    ("term", "wrong", "rule"),
    [
        ("SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount", "1000.01", "BR-CO-10"),
        ("TaxBasisTotalAmount", "999.99", "BR-CO-13"),
        ('TaxTotalAmount currencyID="EUR"', "190.01", "BR-CO-14"),
        ("GrandTotalAmount", "11900.00", "BR-CO-15"),
        ("DuePayableAmount", "11900.00", "BR-CO-16"),
    ],
)
def test_a_total_of_cii_that_does_not_follow_is_refused_by_its_rule(term: str, wrong: str, rule: str) -> None:
    content = cii()
    start = content.index(f"<ram:{term}>".encode()) + len(f"<ram:{term}>")
    end = content.index(b"<", start)
    assert _refusal(content[:start] + wrong.encode() + content[end:]) == f"TOTALS {rule}"
    assert read_invoice(content).amount_minor == GROSS_MINOR


def test_a_payable_amount_a_hundred_times_the_gross_is_refused_and_the_gross_is_taken() -> None:
    assert _refusal(swap(ubl(), ">1000.50</cbc:PayableAmount>", ">100050.00</cbc:PayableAmount>")) == "TOTALS BR-CO-16"


def test_what_was_paid_before_and_what_is_rounded_is_counted() -> None:
    prepaid = swap(
        cii(),
        "<ram:DuePayableAmount>1190.00",
        "<ram:TotalPrepaidAmount>500.00</ram:TotalPrepaidAmount><ram:DuePayableAmount>690.00",
    )
    assert read_invoice(prepaid).amount_minor == 69_000
    assert _refusal(swap(prepaid, ">690.00<", ">690.01<")) == "TOTALS BR-CO-16"
    rounded = swap(
        swap(cii(), "<ram:TaxTotalAmount", "<ram:RoundingAmount>0.40</ram:RoundingAmount><ram:TaxTotalAmount"),
        "<ram:DuePayableAmount>1190.00",
        "<ram:DuePayableAmount>1190.40",
    )
    # The rounding stands behind the VAT total in the schema's order.
    assert _refusal(rounded).startswith("SCHEMA")
    ordered = swap(
        swap(cii(), "<ram:GrandTotalAmount>", "<ram:RoundingAmount>0.40</ram:RoundingAmount><ram:GrandTotalAmount>"),
        "<ram:DuePayableAmount>1190.00",
        "<ram:DuePayableAmount>1190.40",
    )
    assert read_invoice(ordered).amount_minor == 119_040


def test_allowances_and_charges_of_the_document_are_counted() -> None:
    def with_allowance(net: str, vat: str, gross: str) -> bytes:
        content = swap(
            cii(),
            "<ram:TaxBasisTotalAmount>1000.00",
            f"<ram:ChargeTotalAmount>20.00</ram:ChargeTotalAmount><ram:AllowanceTotalAmount>120.00"
            f"</ram:AllowanceTotalAmount><ram:TaxBasisTotalAmount>{net}",
        )
        return swap(swap(content, ">190.00<", f">{vat}<"), ">1190.00<", f">{gross}<")

    assert read_invoice(with_allowance("900.00", "171.00", "1071.00")).amount_minor == 107_100
    assert _refusal(with_allowance("880.00", "171.00", "1051.00")) == "TOTALS BR-CO-13"
    assert _refusal(with_allowance("900.00", "190.00", "1071.00")) == "TOTALS BR-CO-15"


def test_the_vat_in_another_currency_for_the_tax_office_is_no_part_of_the_sum() -> None:
    accounting = '<ram:TaxTotalAmount currencyID="NOK">2200.00</ram:TaxTotalAmount>'
    content = swap(cii(), "<ram:GrandTotalAmount>", f"{accounting}<ram:GrandTotalAmount>")
    assert read_invoice(content).amount_minor == GROSS_MINOR
    assert _refusal(swap(content, 'currencyID="NOK"', 'currencyID="EUR"')) == "TOTALS BR-CO-15"


def test_the_same_vat_total_twice_is_one_as_zatca_writes_it() -> None:
    again = '<ram:TaxTotalAmount currencyID="EUR">190.00</ram:TaxTotalAmount>'
    assert (
        read_invoice(swap(cii(), "<ram:GrandTotalAmount>", f"{again}<ram:GrandTotalAmount>")).amount_minor
        == GROSS_MINOR
    )


def test_a_profile_without_lines_is_held_to_what_it_has() -> None:
    assert read_invoice(_without_lines(cii(profile=BASIC_WL))).amount_minor == GROSS_MINOR
    assert _refusal(_without_lines(cii())) == "TOTALS BR-CO-10"
    wrong = swap(_without_lines(cii(profile=BASIC_WL)), "<ram:DuePayableAmount>1190", "<ram:DuePayableAmount>11900")
    assert _refusal(wrong) == "TOTALS BR-CO-16"


def test_the_extended_profile_has_a_cent_for_each_line_and_no_other_profile_has() -> None:
    def one_cent_off(profile: str) -> bytes:
        return swap(
            cii(profile=profile),
            "HeaderMonetarySummation><ram:LineTotalAmount>1000.00",
            "HeaderMonetarySummation><ram:LineTotalAmount>1000.01",
        )

    assert _refusal(one_cent_off("urn:cen.eu:en16931:2017")) == "TOTALS BR-CO-10"
    assert read_invoice(one_cent_off(EXTENDED)).amount_minor == GROSS_MINOR
    two = swap(one_cent_off(EXTENDED), ">1000.01<", ">1000.02<")
    assert _refusal(two) == "TOTALS BR-CO-10"


def test_lines_that_only_inform_count_in_no_sum_of_the_extended_profile() -> None:
    content = cii(profile=EXTENDED)
    start, end = b"<ram:IncludedSupplyChainTradeLineItem>", b"</ram:IncludedSupplyChainTradeLineItem>"
    line = content[content.index(start) : content.index(end) + len(end)]
    informing = line.replace(
        b"<ram:LineID>1</ram:LineID>",
        b"<ram:LineID>2</ram:LineID><ram:LineStatusReasonCode>INFORMATION</ram:LineStatusReasonCode>",
    )
    taken = read_invoice(content.replace(line, line + informing))
    assert (taken.amount_minor, [goods.line for goods in taken.goods]) == (GROSS_MINOR, ["1"])
    assert _refusal(content.replace(line, line + line)) == "TOTALS BR-CO-10"


@pytest.mark.parametrize("status", ["INFORMATION", "GROUP"])
def test_a_line_whose_money_counts_bills_goods_whatever_it_calls_itself(status: str) -> None:
    numbered = "<ram:LineID>1</ram:LineID>"
    named = swap(cii(), numbered, f"{numbered}<ram:LineStatusReasonCode>{status}</ram:LineStatusReasonCode>")
    found = read_invoice(named)
    assert (found.amount_minor, found.goods) == (GROSS_MINOR, read_invoice(cii()).goods)
    assert found.goods
    assert _refusal(named.replace(b"urn:cen.eu:en16931:2017", EXTENDED.encode())) == "TOTALS BR-CO-10"


@given(net_minor=st.integers(1, 10**12))
def test_any_invoice_that_adds_up_is_taken(net_minor: int) -> None:
    net_minor -= net_minor % 100
    if net_minor:
        assert read_invoice(cii(net_minor=net_minor)).amount_minor == net_minor + net_minor * 19 // 100


def test_the_net_amount_of_the_papers_is_what_the_tests_say() -> None:
    assert GROSS_MINOR == NET_MINOR * 119 // 100
