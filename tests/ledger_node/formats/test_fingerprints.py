"""Fingerprints: no spelling hides a duplicate, no two numbers are taken for one, and nobody else can read the key."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_node.demo import samples
from ledger_node.errors import BadRequest, ConfigError
from ledger_node.formats import InvoiceFacts, PdfFacts, TransportFacts
from ledger_node.formats import fingerprints as fp
from ledger_node.formats.transport import read_events
from ledger_node.formats.ubl_cii import read_invoice

KEY = bytes(range(32))
SUPPLIER, BUYER = "SupplierMSP", "BuyerMSP"


@pytest.fixture
def facts() -> InvoiceFacts:
    return read_invoice(
        samples.invoice_ubl(
            "INV-0001",
            samples.SUPPLIER,
            samples.BUYER,
            datetime.date(2026, 11, 2),
            datetime.date(2027, 1, 31),
            "EUR",
            100_050,
            "PO-1",
            "DES-1",
            samples.SUPPLIER_IBAN,
        )
    )


@pytest.fixture
def events() -> TransportFacts:
    when = datetime.datetime(2026, 10, 30, 14, tzinfo=datetime.UTC)
    return read_events(samples.delivery_events_epcis("DES-1", "PO-1", samples.SUPPLIER, samples.BUYER, when, when))


def _of(facts: InvoiceFacts | TransportFacts | PdfFacts, key: bytes = KEY) -> dict[str, str]:
    return fp.fingerprints(key, facts, SUPPLIER, BUYER, key)


def test_a_fingerprint_is_the_hmac_of_a_json_list_that_begins_with_its_kind(facts: InvoiceFacts) -> None:
    def of(message: str) -> str:
        return hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest()

    expected = {
        "number": of('["number","SupplierMSP","INV|1"]'),
        "amount": of('["amount","SupplierMSP","BuyerMSP",100050,"EUR","2026-11-02"]'),
        "delivery": of('["delivery","SupplierMSP","BuyerMSP","DES|1"]'),
    }
    assert expected == _of(facts)


@pytest.mark.parametrize(
    "spelling",
    [
        "INV 0001",
        "inv/0001",
        "INV0001",
        "I.N.V.-1",
        " ＩＮＶ－０００１ ",
        "INV\u200b-00\u00ad01",
        "ІNV-0001",
        "INV-٠٠٠١",
        "I\u0336NV-1",
    ],
)
def test_no_spelling_of_a_number_hides_a_duplicate(facts: InvoiceFacts, spelling: str) -> None:
    assert _of(facts) == _of(dataclasses.replace(facts, invoice_number=spelling))


def test_numbers_that_only_look_alike_without_separators_stay_different() -> None:
    numbers = ["INV-1-11", "INV-11-1", "INV-111", "1-0", "10", "INV-1-A", "INV-1A1", "2026-001", "2026001", "inv.1.11"]
    assert len({fp.normalise_reference(number) for number in numbers}) == len(numbers) - 1
    assert fp.normalise_reference("INV-1-A") == "INV|1|A"


@given(st.text(max_size=30))
def test_normalising_a_number_twice_changes_nothing(text: str) -> None:
    try:
        once = fp.normalise_reference(text)
    except BadRequest:
        return
    assert once == fp.normalise_reference(once)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"invoice_number": "INV-2"}, {"number"}),
        ({"amount_minor": 100_051}, {"amount"}),
        ({"currency": "USD"}, {"amount"}),
        ({"issue_date": datetime.date(2026, 11, 3)}, {"amount"}),
        ({"shipment_references": ("DES-2",)}, {"delivery"}),
        ({"due_date": None, "order_reference": "PO-2", "payee_accounts": ()}, set()),
    ],
)
def test_each_kind_changes_with_what_it_stands_for_and_with_nothing_else(
    facts: InvoiceFacts, change: dict[str, object], changed: set[str]
) -> None:
    before, after = _of(facts), _of(dataclasses.replace(facts, **change))  # type: ignore[arg-type]
    assert changed == {kind for kind in before if before[kind] != after[kind]}


def test_another_party_or_key_has_other_fingerprints(facts: InvoiceFacts) -> None:
    for other in (
        fp.fingerprints(KEY, facts, "OtherMSP", BUYER, KEY),
        fp.fingerprints(KEY[::-1], facts, SUPPLIER, BUYER, KEY[::-1]),
    ):
        assert not set(other.values()) & set(_of(facts).values())


@pytest.mark.parametrize("shipment_references", [(), ("--",)])
def test_an_invoice_without_despatch_advice_defines_no_delivery(
    facts: InvoiceFacts, shipment_references: tuple[str, ...]
) -> None:
    assert set(_of(dataclasses.replace(facts, shipment_references=shipment_references))) == {"number", "amount"}


@pytest.mark.parametrize(
    ("numbers", "single", "several"),
    [
        (("DES-1", "DES-2"), (), ("DES-1", "DES-2")),
        (("DES-1", "des 0001"), ("DES-1",), ()),
        (("DES-2", "des/2", "--", "DES-1"), (), ("DES-1", "DES-2")),
        ((), (), ()),
    ],
)
def test_of_several_delivery_notes_each_has_the_fingerprint_that_it_has_alone(
    facts: InvoiceFacts, numbers: tuple[str, ...], single: tuple[str, ...], several: tuple[str, ...]
) -> None:
    found = dataclasses.replace(facts, shipment_references=numbers)
    alone = [fp.reference(KEY, SUPPLIER, BUYER, number) for number in (*single, *several)]
    assert sorted(alone[len(single) :]) == fp.deliveries(KEY, found, SUPPLIER, BUYER)
    assert alone[: len(single)] == [value for kind, value in _of(found).items() if kind == "delivery"]


def test_invoice_events_and_registered_shipment_agree_on_the_delivery(
    facts: InvoiceFacts, events: TransportFacts
) -> None:
    registered = fp.reference(KEY, SUPPLIER, BUYER, "des 0001")
    assert {"delivery": registered} == _of(events)
    assert registered == _of(facts)["delivery"]


def test_events_of_two_deliveries_define_none_and_a_departure_is_no_delivery(events: TransportFacts) -> None:
    departed, delivered = events.events
    other = dataclasses.replace(delivered, shipment_references=("DES-2",))
    respelt = dataclasses.replace(delivered, shipment_references=("des 1",))
    assert _of(TransportFacts(events=(delivered, other))) == {}
    assert _of(TransportFacts(events=(departed,))) == {}
    assert _of(TransportFacts(events=(delivered, respelt))) == _of(events)


def test_a_pdf_defines_no_fingerprint() -> None:
    assert _of(PdfFacts(page_count=1)) == {}


@pytest.mark.parametrize("type_code", ["389", "471", "500", "527"])
def test_a_number_that_the_buyer_gives_is_unique_for_supplier_and_buyer_together(
    facts: InvoiceFacts, type_code: str
) -> None:
    self_billed = dataclasses.replace(facts, type_code=type_code)
    of_another = fp.fingerprints(KEY, self_billed, SUPPLIER, "OtherMSP", KEY)["number"]
    assert len({_of(facts)["number"], _of(self_billed)["number"], of_another}) == 3
    assert _of(facts)["number"] == fp.fingerprints(KEY, facts, SUPPLIER, "OtherMSP", KEY)["number"]
    assert _of(facts)["amount"] == _of(self_billed)["amount"]


def test_a_predecessor_is_the_number_that_it_has_itself_whoever_numbered_it(facts: InvoiceFacts) -> None:
    found = fp.predecessors(KEY, ("inv 1", "INV/0001"), SUPPLIER, BUYER)
    self_billed = dataclasses.replace(facts, type_code="389")
    assert found == sorted([_of(facts)["number"], _of(self_billed)["number"]])
    assert fp.predecessors(KEY, (), SUPPLIER, BUYER) == []


def test_identifiers_keep_leading_zeros_and_each_use_of_a_text_has_its_own_fingerprint() -> None:
    assert fp.identity(KEY, "007") != fp.identity(KEY, "7")
    values = {
        fp.identity(KEY, "7"),
        fp.account(KEY, "7"),
        fp.order(KEY, BUYER, "7"),
        fp.reference(KEY, SUPPLIER, BUYER, "7"),
        fp.credit_reference(KEY, "7", "2026-11-02"),
        fp.credit_reference(KEY, "7", "2026-11-03"),
    }
    assert len(values) == 6


def test_a_number_without_letter_and_digit_is_refused() -> None:
    with pytest.raises(BadRequest):
        fp.order(KEY, BUYER, " - ")
    with pytest.raises(BadRequest):
        fp.identity(KEY, "")


def test_a_short_key_is_never_used(facts: InvoiceFacts) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        _of(facts, key=b"short")


def test_a_made_key_is_read_back_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "fingerprint.key"
    old_mask = os.umask(0)
    try:
        key = fp.create_key(path)
    finally:
        os.umask(old_mask)
    assert key == fp.load_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_an_existing_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fingerprint.key"
    key = fp.create_key(path)
    with pytest.raises(ConfigError):
        fp.create_key(path)
    assert key == fp.load_key(path)
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "fingerprint.key"
    fp.create_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigError) as refusal:
        fp.load_key(path)
    assert "chmod 600" in refusal.value.remedy


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"0" * 63 + b"g", b"\xff" * 64])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fingerprint.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        fp.load_key(path)


def test_a_missing_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        fp.load_key(tmp_path / "missing")
    assert refusal.value.remedy
