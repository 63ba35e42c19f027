"""Bank statements: what is booked is read as it is booked, and what is no money that came in is left out."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from bank_files import OTHER, OWN, camt_053_02, camt_054, detail, entry, pain_002

from ledger_node.formats import FormatCode, FormatError
from ledger_node.formats.bank_statement import read_statement
from ledger_node.formats.payment_status import read_payment_status

REAL = Path(__file__).resolve().parents[3].parent / "shared/realdata/iso20022-moov/test/testdata"
SIX = "http://www.six-interbank-clearing.com/de/pain.002.001.03.ch.02.xsd"


def test_a_booked_credit_is_read_with_its_reference_payer_and_day() -> None:
    (booking,) = read_statement(
        camt_054(entry("1234.50", [detail("1234.50", more="<RmtInf><Ustrd>7</Ustrd></RmtInf>")]))
    )
    assert (booking.account, booking.is_credit, booking.amount_minor, booking.currency) == (OWN, True, 123450, "EUR")
    assert (booking.booked_on, booking.reference) == ("2026-11-27", "BANK-1")
    assert (booking.other_account, booking.other_name, booking.text) == (OTHER, "Exempel AB", "7")
    assert not booking.left_out


def test_a_file_that_lacks_what_it_must_have_is_refused_with_what_it_lacks() -> None:
    whole = camt_054(entry())
    assert read_statement(whole)
    with pytest.raises(FormatError, match=r"not a valid camt.054.001.08: \w+ lacks 'amt'") as refused:
        read_statement(re.sub(rb"<Ntry><Amt .*?</Amt>", b"<Ntry>", whole))
    assert refused.value.code is FormatCode.SCHEMA


def test_a_statement_of_2009_says_the_same_as_one_of_today() -> None:
    (old,) = read_statement(camt_053_02())
    (new,) = read_statement(camt_054(entry(details=[detail(more="<RmtInf><Ustrd>invoice 7</Ustrd></RmtInf>")])))
    assert old == new


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (entry(status="<Cd>PDNG</Cd>"), "not booked yet (PDNG)"),
        (entry(status="<Cd>INFO</Cd>"), "not booked yet (INFO)"),
        (entry(status="<Prtry>BOOKED</Prtry>"), "not booked yet (BOOKED)"),
        (entry(reversal="<RvslInd>true</RvslInd>"), "taken back (a reversal)"),
        (entry(booked=""), "without a booking date"),
        (entry(code="RRTN"), "a payment that came back"),
        (entry(details=[detail(more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")]), "a payment that came back"),
        (entry("0.00", [detail("0.00")]), "an amount of zero"),
        (entry("100.00", [detail("60.00"), detail("30.00")]), "one sum for several payments"),
    ],
)
def test_what_is_no_money_that_came_in_is_left_out_by_name(changed: str, why: str) -> None:
    (booking,) = read_statement(camt_054(changed))
    assert booking.left_out.startswith(why)


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(1, 13)])
def test_every_version_of_a_notification_is_read_or_refused_by_name(version: str) -> None:
    try:
        (booking,) = read_statement(camt_054(entry(), version=version))
    except FormatError as error:
        assert (error.code, version < "08") == (FormatCode.SCHEMA, True)  # those say statuses and parties otherwise
    else:
        assert (booking.amount_minor, booking.left_out) == (10000, "")


def test_a_collective_entry_is_the_payments_in_it() -> None:
    parts = [
        detail(each, refs=f"<AcctSvcrRef>{ref}</AcctSvcrRef>") for each, ref in (("60.00", "P-1"), ("40.00", "P-2"))
    ]
    for counted in (None, 2):
        first, second = read_statement(camt_054(entry("100.00", parts, counted=counted)))
        assert (first.amount_minor, first.reference) == (6000, "BANK-1/P-1")
        assert (second.amount_minor, second.reference) == (4000, "BANK-1/P-2")
        assert not (first.left_out or second.left_out)


@pytest.mark.parametrize("name", ["EndToEndId", "InstrId", "UETR", "TxId"])
@pytest.mark.parametrize("reference", ["", "BANK-1"])
def test_what_a_payer_chose_is_no_reference_of_the_bank(name: str, reference: str) -> None:
    value = "8a562c67-ca16-48ba-b074-65581be6f001" if name == "UETR" else "E"
    refs = (
        f"<{name}>{value}</{name}>" if name == "EndToEndId" else f"<EndToEndId>E</EndToEndId><{name}>{value}</{name}>"
    )
    if name == "InstrId":
        refs = f"<{name}>{value}</{name}><EndToEndId>E</EndToEndId>"
    parts = [detail("60.00", refs=refs), detail("40.00", refs=refs)]
    found = read_statement(camt_054(entry("100.00", parts, reference=reference)))
    assert [booking.reference for booking in found] == ["", ""]
    (alone,) = read_statement(camt_054(entry("60.00", parts[:1], reference="")))
    assert alone.reference == ""


@pytest.mark.parametrize(
    ("amount", "counted"),
    [("40.00", 3), ("100.00", 2), ("40.00", None), ("40.00", 1)],
)
def test_a_sum_of_which_one_payment_is_shown_is_not_that_payer_s(amount: str, counted: int | None) -> None:
    (whole,) = read_statement(camt_054(entry("100.00", [detail(amount)], counted=counted)))
    assert whole.left_out.startswith("one sum for several payments")
    (alone,) = read_statement(camt_054(entry("100.00", [detail("100.00")], counted=1)))
    assert not alone.left_out


def test_two_references_that_the_ledger_takes_for_one_are_both_left_out() -> None:
    parts = [detail("50.00", refs=f"<AcctSvcrRef>{ref}</AcctSvcrRef>") for ref in ("E-1", "E1")]
    assert all(booking.left_out for booking in read_statement(camt_054(entry("100.00", parts))))


def test_two_movements_under_one_reference_and_day_are_both_left_out() -> None:
    twice = read_statement(camt_054(entry("1.00", [detail("1.00")]), entry("2.00", [detail("2.00")])))
    assert {booking.left_out for booking in twice} == {"the file has another movement with this reference"}
    apart = read_statement(camt_054(entry(), entry(booked="<Dt>2026-11-26</Dt>"), entry(reference="BANK-2")))
    assert not any(booking.left_out for booking in apart)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FormatCode.NOT_WELL_FORMED),
        (camt_054()[:-4], FormatCode.NOT_WELL_FORMED),
        (b"<!DOCTYPE Document>" + camt_054(), FormatCode.DOCTYPE),
        (b"<Document/>", FormatCode.NOT_SUPPORTED),
        (pain_002("ACSC", "M"), FormatCode.NOT_SUPPORTED),
        (camt_054(version="99"), FormatCode.NOT_SUPPORTED),
        (camt_054(entry().replace("<CdtDbtInd>", "<Cheque/><CdtDbtInd>", 1)), FormatCode.SCHEMA),
        (camt_054(entry("1,00")), FormatCode.SCHEMA),
        (camt_054(entry(booked="<Dt>2026-02-30</Dt>")), FormatCode.SCHEMA),
        (camt_054(entry("1.001")), FormatCode.AMOUNT),
        (camt_054(entry("-1.00")), FormatCode.AMOUNT),
        (camt_054(entry("NaN")), FormatCode.AMOUNT),
        (camt_054(entry("Infinity")), FormatCode.AMOUNT),
        (camt_054(entry("1E+40")), FormatCode.AMOUNT),
        (camt_054(entry().replace("<NtryDtls>", "<NtryDtls><Btch><NbOfTxs>many</NbOfTxs></Btch>")), FormatCode.SCHEMA),
        (camt_054(entry(currency="XXX")), FormatCode.CURRENCY),
    ],
)
def test_what_is_no_statement_is_refused_with_a_name(content: bytes, code: FormatCode) -> None:
    with pytest.raises(FormatError) as caught:
        read_statement(content)
    assert caught.value.code == code


@pytest.mark.parametrize("namespace", ["urn:iso:std:iso:20022:tech:xsd:pain.002.001.03", SIX])
def test_a_bank_s_word_is_read_with_its_reasons_in_swiss_files_too(namespace: str) -> None:
    (status,) = read_payment_status(pain_002("RJCT", "ab12", namespace=namespace))
    assert (status.message_id, status.end_to_end_id, status.status) == ("ab12", "ab12", "RJCT")
    assert status.reasons == ("AC04: closed",)


@pytest.mark.skipif(not REAL.is_dir(), reason="REAL BANK FILES NOT TESTED: the folder ../shared/realdata is absent")
def test_every_real_statement_is_read_and_its_sums_are_those_of_its_entries() -> None:
    files = [path for path in sorted(REAL.iterdir()) if re.search(rb"camt\.05[34]\.001", path.read_bytes()[:2000])]
    assert len(files) >= 13
    for path in files:
        text = path.read_text()
        entries = [
            Decimal(found) for found in re.findall(r"<Ntry>.*?<Amt Ccy=\"...\">([0-9.]+)</Amt>", text, re.DOTALL)
        ]
        assert sum(Decimal(each.amount_minor) / 100 for each in read_statement(path.read_bytes())) == sum(entries), path
