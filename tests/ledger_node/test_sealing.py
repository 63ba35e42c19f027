"""Sealed terms on nodes: their readers open them, nobody else does, and what was spoilt is never taken for a number."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaincode.records.sealed import DiscountTerms, commitment
from ledger_node.agreement import AgreementKeys, make_key
from ledger_node.sealing import NotVisible, seal, unseal

SALT = bytes(range(32))
SUPPLIER, BUYER, CARRIER = "SupplierMSP", "BuyerMSP", "CarrierMSP"
RECORD, OTHER = "discount_offer/" + "0" * 32, "discount_offer/" + "1" * 32
TERMS = {"rate_bps": 7193, "day_count": "ACT/360"}
DAY = "2026-12-10"
Json = dict[str, Any]


class Member:
    """A party with a file of its own; `record` is what the ledger says of it."""

    def __init__(self, folder: Path, msp_id: str) -> None:
        self.path = folder / f"{msp_id}.key"
        self.keys = AgreementKeys(msp_id, self.path, SALT)
        self.record: Json = {"msp_id": msp_id, "agreement_keys": []}
        self.names("2000-01-01")

    def names(self, from_day: str) -> str:
        key = make_key(self.path)
        self.record["agreement_keys"].append({"key": key, "from_day": from_day})
        return key

    def opens(self, sealed: Json, record: str = RECORD) -> Json:
        return unseal(self.keys, record, sealed, DiscountTerms).values


class Deal:
    """A supplier that seals for its buyer, and a third one."""

    def __init__(self, folder: Path) -> None:
        self.supplier, self.buyer, self.carrier = (Member(folder, name) for name in (SUPPLIER, BUYER, CARRIER))

    def sealed(self, values: Json = TERMS, record: str = RECORD, request: str = "first", day: str = DAY) -> Json:
        readers = [self.supplier.record, self.buyer.record]
        return seal(self.supplier.keys, record, values, readers, day, request)


@pytest.fixture
def deal(tmp_path: Path) -> Deal:
    return Deal(tmp_path)


def test_both_readers_open_it_and_find_what_its_commitment_says(deal: Deal) -> None:
    sealed = deal.sealed()
    for member in (deal.supplier, deal.buyer):
        opened = unseal(member.keys, RECORD, sealed, DiscountTerms)
        assert opened.values == TERMS
        assert commitment(opened.salt, RECORD, opened.values) == sealed["commitment"]


def test_a_third_one_is_told_who_may_see_it_and_nothing_else(deal: Deal) -> None:
    with pytest.raises(NotVisible) as told:
        deal.carrier.opens(deal.sealed())
    assert str(told.value) == "not visible to you: sealed for BuyerMSP and SupplierMSP"


def test_a_third_one_that_puts_its_name_on_a_readers_wrap_opens_nothing(deal: Deal) -> None:
    sealed = deal.sealed()
    own = deal.carrier.record["agreement_keys"][0]["key"]
    for wrap in sealed["wraps"]:
        forged = sealed | {"wraps": [wrap | {"party": CARRIER, "key": own}]}
        with pytest.raises(NotVisible):
            deal.carrier.opens(forged)
    assert deal.buyer.opens(sealed) == TERMS


def test_a_request_that_is_repeated_seals_the_same_bytes_and_another_one_others(deal: Deal) -> None:
    assert deal.sealed() == deal.sealed()
    again = deal.sealed(request="second")
    assert {"body", "commitment", "wraps"} == {name for name, value in deal.sealed().items() if again[name] != value}


def test_a_body_is_as_long_whatever_it_says(deal: Deal) -> None:
    lengths = {len(deal.sealed(TERMS | {"rate_bps": rate})["body"]) for rate in (0, 10, 10_000)}
    assert lengths == {2 * (16 + 128)}


def wrong_commitment(deal: Deal, sealed: Json) -> None:
    sealed["commitment"] = commitment("00" * 32, RECORD, TERMS)


def another_value(deal: Deal, sealed: Json) -> None:
    sealed["commitment"] = deal.sealed(TERMS | {"rate_bps": 1})["commitment"]


def another_deals_body(deal: Deal, sealed: Json) -> None:
    sealed |= deal.sealed(record=OTHER)


def a_replayed_body(deal: Deal, sealed: Json) -> None:
    sealed["body"] = deal.sealed(request="of before")["body"]


def a_replayed_body_with_its_wraps(deal: Deal, sealed: Json) -> None:
    before = deal.sealed(request="of before")
    sealed |= {name: before[name] for name in ("body", "wraps")}


def a_wrap_of_before(deal: Deal, sealed: Json) -> None:
    sealed["wraps"] = deal.sealed(request="of before")["wraps"]


def the_others_wrap(deal: Deal, sealed: Json) -> None:
    first, second = sealed["wraps"]
    first["wrapped"], second["wrapped"] = second["wrapped"], first["wrapped"]


def one_digit(deal: Deal, sealed: Json) -> None:
    sealed["body"] = ("1" if sealed["body"][0] == "0" else "0") + sealed["body"][1:]


def no_terms(deal: Deal, sealed: Json) -> None:
    sealed |= deal.sealed(TERMS | {"rate_bps": 10_001})


SPOILT: list[Callable[[Deal, Json], None]] = [
    wrong_commitment,
    another_value,
    another_deals_body,
    a_replayed_body,
    a_replayed_body_with_its_wraps,
    a_wrap_of_before,
    the_others_wrap,
    one_digit,
    no_terms,
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_was_sealed_wrongly_is_called_so_and_never_shown_as_a_number(
    deal: Deal, spoil: Callable[[Deal, Json], None]
) -> None:
    sealed = deal.sealed()
    spoilt = copy.deepcopy(sealed)
    spoil(deal, spoilt)
    with pytest.raises(NotVisible, match="SupplierMSP sealed it wrongly, and has to send it again"):
        deal.buyer.opens(spoilt)
    assert deal.buyer.opens(sealed) == TERMS


def test_after_a_change_of_keys_old_bodies_open_and_new_ones_are_for_the_new_key(deal: Deal) -> None:
    before = deal.sealed()
    new = deal.buyer.names("2026-12-12")
    same_day, after = deal.sealed(request="same day"), deal.sealed(day="2026-12-12")
    keys = [{wrap["party"]: wrap["key"] for wrap in each["wraps"]}[BUYER] for each in (before, same_day, after)]
    assert [key == new for key in keys] == [False, False, True]
    assert [deal.buyer.opens(each) for each in (before, same_day, after)] == [TERMS] * 3


def test_the_keys_alone_open_it_again_on_another_machine_and_without_them_it_says_so(
    deal: Deal, tmp_path: Path
) -> None:
    sealed = deal.sealed()
    moved = tmp_path / "elsewhere.key"
    deal.buyer.path.rename(moved)
    with pytest.raises(NotVisible, match="this node has lost its key"):
        deal.buyer.opens(sealed)
    assert unseal(AgreementKeys(BUYER, moved, SALT), RECORD, sealed, DiscountTerms).values == TERMS


def test_who_joins_later_opens_nothing_of_before_and_all_that_is_sealed_for_it(deal: Deal, tmp_path: Path) -> None:
    joined = Member(tmp_path, "JoinedMSP")
    with pytest.raises(NotVisible, match="sealed for BuyerMSP and SupplierMSP"):
        joined.opens(deal.sealed())
    readers = [deal.supplier.record, joined.record]
    assert joined.opens(seal(deal.supplier.keys, RECORD, TERMS, readers, DAY, "for it")) == TERMS
