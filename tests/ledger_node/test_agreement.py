"""Agreement keys on a node: one secret for two, nothing for a third, and private keys that nothing loses."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger_node import agreement
from ledger_node.agreement import AMOUNT, AgreementKeys, load_keys, make_key, pair_key
from ledger_node.demo import samples
from ledger_node.errors import ConfigError
from ledger_node.formats import InvoiceFacts
from ledger_node.formats.fingerprints import fingerprints
from ledger_node.formats.ubl_cii import read_invoice

SALT = bytes(range(32))
SUPPLIER, BUYER, FINANCIER = "SupplierMSP", "BuyerMSP", "FinancierMSP"
DAY = "2026-12-10"
BOB = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
BOBS = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
ALICES = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
"""Keys and secret of RFC 7748, section 6.1."""


class Member:
    """A party with a file of its own; `named` are its keys on the ledger with their days."""

    def __init__(self, folder: Path, msp_id: str) -> None:
        self.msp_id = msp_id
        self.path = folder / f"{msp_id}.key"
        self.named: list[dict[str, str]] = []
        self.keys = AgreementKeys(msp_id, self.path, SALT)

    def names(self, from_day: str) -> str:
        self.named.append({"key": make_key(self.path), "from_day": from_day})
        return self.named[-1]["key"]

    @property
    def record(self) -> dict[str, Any]:
        return {"msp_id": self.msp_id, "agreement_keys": self.named}


@pytest.fixture
def members(tmp_path: Path) -> Iterator[tuple[Member, Member, Member]]:
    supplier, buyer, financier = (Member(tmp_path, msp_id) for msp_id in (SUPPLIER, BUYER, FINANCIER))
    for each in (supplier, buyer, financier):
        each.names("2026-12-01")
    yield supplier, buyer, financier


def invoice(amount_minor: int = 31_415_926, number: str = "INV-1") -> InvoiceFacts:
    issued, due = dt.date(2026, 12, 5), dt.date(2027, 2, 1)
    named = (number, samples.SUPPLIER, samples.BUYER, issued, due, "EUR", amount_minor, "PO", f"S {number}")
    return read_invoice(samples.invoice_ubl(*named, samples.SUPPLIER_IBAN))


def key_of(who: Member, supplier: Member, buyer: Member, issued: str = "2026-12-05", day: str = DAY) -> bytes | None:
    return who.keys.amount_key(supplier.record, buyer.record, issued, day)


def test_the_secret_is_that_of_the_standards_computed_a_second_time_by_other_means() -> None:
    of_parties = {SUPPLIER: BOBS, BUYER: ALICES}
    found = pair_key(X25519PrivateKey.from_private_bytes(bytes.fromhex(BOB)), SUPPLIER, of_parties, SALT, AMOUNT)
    info = json.dumps(["ledger-node pair key 1", AMOUNT, [BUYER, ALICES], [SUPPLIER, BOBS]], separators=(",", ":"))
    extracted = hmac.new(SALT, bytes.fromhex(SHARED), hashlib.sha256).digest()
    assert found == hmac.new(extracted, info.encode() + b"\x01", hashlib.sha256).digest()  # RFC 5869, one block


def test_supplier_and_buyer_have_one_key_and_nobody_else_has_any(members: tuple[Member, ...]) -> None:
    supplier, buyer, financier = members
    found = key_of(supplier, supplier, buyer)
    assert found is not None
    assert found == key_of(buyer, supplier, buyer) != SALT
    assert key_of(financier, supplier, buyer) is None


def test_a_secret_hangs_on_both_parties_their_keys_its_use_and_the_consortium(members: tuple[Member, ...]) -> None:
    (private,) = load_keys(members[0].path).values()
    own, others, thirds = (each.named[0]["key"] for each in members)
    made = [
        pair_key(private, SUPPLIER, {SUPPLIER: own, BUYER: others}, SALT, AMOUNT),
        pair_key(private, SUPPLIER, {SUPPLIER: own, BUYER: thirds}, SALT, AMOUNT),  # a wrong key
        pair_key(private, SUPPLIER, {SUPPLIER: own, FINANCIER: others}, SALT, AMOUNT),  # another's name
        pair_key(private, SUPPLIER, {SUPPLIER: own, BUYER: others}, SALT, "another use"),
        pair_key(private, SUPPLIER, {SUPPLIER: own, BUYER: others}, bytes(32), AMOUNT),
    ]
    assert len(set(made)) == len(made)


def test_a_point_of_small_order_makes_no_secret(members: tuple[Member, ...]) -> None:
    (private,) = load_keys(members[0].path).values()
    with pytest.raises(ValueError, match="shared key"):
        pair_key(private, SUPPLIER, {SUPPLIER: members[0].named[0]["key"], BUYER: "00" * 32}, SALT, AMOUNT)


def test_a_key_that_is_changed_between_two_sales_hides_no_amount(members: tuple[Member, ...]) -> None:
    supplier, buyer, _ = members
    before = key_of(supplier, supplier, buyer)
    supplier.names("2026-12-12")
    buyer.names("2026-12-14")
    again = [key_of(who, supplier, buyer, day="2027-01-20") for who in (supplier, buyer)]
    assert again == [before, before]
    later = [key_of(supplier, supplier, buyer, day, "2027-01-20") for day in ("2026-12-11", "2026-12-12", "2026-12-14")]
    assert later[0] == before
    assert len(set(later)) == 3


def test_the_second_sale_is_found_under_the_keys_of_its_day_and_a_dictionary_of_amounts_finds_nothing(
    members: tuple[Member, ...],
) -> None:
    supplier, buyer, _ = members
    first = fingerprints(SALT, invoice(), SUPPLIER, BUYER, key_of(supplier, supplier, buyer))
    supplier.names("2026-12-12")
    again = key_of(buyer, supplier, buyer, day="2027-01-20")
    second = fingerprints(SALT, invoice(number="INV-77"), SUPPLIER, BUYER, again)
    assert (first["amount"], first["number"] == second["number"]) == (second["amount"], False)

    def searched(claimed: str) -> list[int]:
        """What any member finds who has the consortium's key, the names, and the date."""
        guesses = range(31_415_900, 31_415_950)
        return [
            guess for guess in guesses if fingerprints(SALT, invoice(guess), SUPPLIER, BUYER, SALT)["amount"] == claimed
        ]

    assert searched(first["amount"]) == []
    assert searched(fingerprints(SALT, invoice(), SUPPLIER, BUYER, SALT)["amount"]) == [31_415_926]  # the control


def test_what_was_issued_before_both_had_keys_keeps_the_consortiums(members: tuple[Member, ...]) -> None:
    supplier, buyer, financier = members
    assert {key_of(who, supplier, buyer, "2026-11-30") for who in members} == {SALT}
    late = Member(supplier.path.parent, "LateMSP")
    assert {key_of(who, supplier, late) for who in (supplier, late, financier)} == {SALT}
    late.names("2026-12-11")
    assert key_of(financier, supplier, late, "2026-12-10") == SALT
    assert key_of(financier, supplier, late, "2026-12-11") is None
    assert key_of(late, supplier, late, "2026-12-11") == key_of(supplier, supplier, late, "2026-12-11")


def test_an_amount_whose_key_may_still_become_another_one_has_none(members: tuple[Member, ...]) -> None:
    supplier, buyer, _ = members
    assert key_of(supplier, supplier, buyer, "2026-12-11") is not None
    assert key_of(supplier, supplier, buyer, "2026-12-12") is None
    assert key_of(supplier, supplier, buyer, day="") is None  # no day has been opened yet


def test_a_party_has_no_secret_with_itself(members: tuple[Member, ...]) -> None:
    assert key_of(members[0], members[0], members[0]) == SALT


def test_a_lost_key_is_said_with_what_helps_and_the_next_one_goes_on(members: tuple[Member, ...]) -> None:
    supplier, buyer, _ = members
    supplier.path.unlink()
    with pytest.raises(ConfigError, match="the private key of SupplierMSP") as lost:
        key_of(supplier, supplier, buyer)
    assert "backup" in lost.value.remedy
    supplier.names("2026-12-08")
    assert key_of(supplier, supplier, buyer, "2026-12-08") == key_of(buyer, supplier, buyer, "2026-12-08")


def test_private_keys_stay_in_one_file_for_its_owner_only_the_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "agreement.key"
    made = [make_key(path) for _ in range(3)]
    assert list(load_keys(path)) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["agreement.key"]


def test_makers_of_keys_who_come_at_once_lose_none_of_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reading, asking, flock, read = tmp_path / "agreement.key", Event(), Event(), fcntl.flock, load_keys

    def reads_first(of: Path) -> dict[str, X25519PrivateKey]:
        """The one that comes first has read the file when the other one comes."""
        found = read(of)
        if not reading.is_set():
            reading.set()
            assert asking.wait(60)
        return found

    def asks(handle: int, operation: int) -> None:
        if reading.is_set():
            asking.set()
        flock(handle, operation)

    monkeypatch.setattr(agreement, "load_keys", reads_first)
    monkeypatch.setattr(fcntl, "flock", asks)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(make_key, path)
        assert reading.wait(60)
        second = pool.submit(make_key, path)
        made = [first.result(), second.result()]
    assert list(read(path)) == made


def test_a_crash_while_a_key_is_made_leaves_those_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agreement.key"
    first = make_key(path)

    def killed(_handle: int) -> None:
        raise OSError("the machine stops here")

    monkeypatch.setattr("ledger_node.agreement.os.fsync", killed)
    with pytest.raises(OSError, match="stops here"):
        make_key(path)
    monkeypatch.undo()
    assert list(load_keys(path)) == [first]
    assert [each.name for each in tmp_path.iterdir()] == ["agreement.key"]


@pytest.mark.parametrize("content", ["", "no key\n", "ab" * 32, "ab" * 31 + "\n", "AB" * 32 + "\n", "é\n"])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "agreement.key"
    path.write_text(content, "utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="agreement keys"):
        load_keys(path)
    path.write_text("ab" * 32 + "\n")
    assert len(load_keys(path)) == 1  # the control


def test_a_file_that_others_can_read_is_refused_and_one_that_is_not_there_holds_none(tmp_path: Path) -> None:
    path = tmp_path / "agreement.key"
    assert load_keys(path) == {}
    make_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        load_keys(path)


def test_a_file_has_room_for_so_many_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "agreement.key"
    make_key(path)
    monkeypatch.setattr(agreement, "FILE_BYTES_MAX", 100)
    with pytest.raises(ConfigError, match="1 agreement keys"):
        make_key(path)
