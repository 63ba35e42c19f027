"""Agreement keys: from which day one counts, which are taken from nobody, and who tells an amount under them."""

from __future__ import annotations

from typing import Any

import pytest
from invariants import check_state
from refusal_rows import everybody
from refusals_changes import MAJORITY, NEWCOMER, newcomer, passed
from world import World, found, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    Step,
    agreement_key,
    approval,
    attestation,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    story,
)

from chaincode.records import MembershipChange, Party, canonical, decode, from_plain
from chaincode.records.codec import parse_json
from chaincode.rules.agreement import ISSUE_DAYS_AHEAD, first_day, is_of_pair, key_on

FROM = "2026-11-25"
"""The first day on which a key counts that is named on the first day of a world."""
PRIME = 2**255 - 19
SMALL = [
    0,
    1,
    PRIME - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]
OTHER_SPELLINGS = [PRIME, PRIME + 1, 2**255 + 9, 2**256 - 1]
PAID = [hexid("invoice")]


def spelt(point: int) -> str:
    return point.to_bytes(32, "little").hex()


def names(world: World, who: str, name: str = "") -> str:
    """A party names a key; the day from which it counts."""
    return str(world.must(who, "ChangeAgreementKey", agreement_key=agreement_key(name or who))["from_day"])


def keys_of(world: World, who: str = SUPPLIER) -> list[tuple[str, str]]:
    return [(one["key"], one["from_day"]) for one in world.read(f"party/{who}")["agreement_keys"]]


def test_a_key_counts_from_the_day_after_the_next_and_the_one_before_until_then() -> None:
    world = founded()
    assert names(world, SUPPLIER) == FROM
    world.open_day(FROM)
    assert names(world, SUPPLIER, "second") == "2026-11-27"
    party = decode(Party, world.state[f"party/{SUPPLIER}"])
    on = [key_on(party.agreement_keys, day) for day in (DAY, FROM, "2026-11-26", "2026-11-27", "2027-01-01")]
    first, second = agreement_key(SUPPLIER), agreement_key("second")
    assert on == ["", first, first, second, second]
    check_state(world.state)


def test_a_key_that_no_invoice_can_bear_yet_is_replaced_and_one_that_can_stays() -> None:
    world = founded()
    names(world, SUPPLIER)
    assert names(world, SUPPLIER, "typed wrong") == FROM
    assert keys_of(world) == [(agreement_key("typed wrong"), FROM)]
    world.open_day("2026-11-24")  # from now on an invoice may bear that day
    names(world, SUPPLIER, "another")
    assert keys_of(world) == [(agreement_key("typed wrong"), FROM), (agreement_key("another"), "2026-11-26")]


def test_a_wrong_clock_cannot_make_a_key_count_for_what_is_registered() -> None:
    world = founded()
    world.timestamp -= 30 * 86_400
    assert names(world, SUPPLIER) == FROM
    world.timestamp += 300 * 86_400
    assert names(world, SUPPLIER, "far ahead") == first_day(DAY, "2027-08-20")
    assert len(keys_of(world)) == 1


@pytest.mark.parametrize("point", [*SMALL, *OTHER_SPELLINGS])
def test_a_point_of_small_order_or_another_spelling_of_a_key_is_taken_from_nobody(point: int) -> None:
    world = founded()
    assert world.refusal(SUPPLIER, "ChangeAgreementKey", agreement_key=spelt(point)) == "AGREEMENT_KEY_INVALID"
    world.must(SUPPLIER, "ChangeAgreementKey", agreement_key=spelt(9))  # the control


def test_the_contract_knows_all_points_whose_secrets_are_everybodys() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    own = X25519PrivateKey.generate()
    for point in SMALL:
        with pytest.raises(ValueError, match="shared key"):
            own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(spelt(point))))
    assert len(own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(spelt(9))))) == 32


def test_a_key_that_any_party_has_ever_named_is_nobodys_again() -> None:
    world = founded()
    names(world, SUPPLIER, "one")
    world.open_day(FROM)
    names(world, SUPPLIER, "two")
    taken = {"agreement_key": agreement_key("one")}
    for who in (SUPPLIER, BUYER):
        assert world.refusal(who, "ChangeAgreementKey", **taken) == "AGREEMENT_KEY_INVALID"


def test_a_party_that_joins_later_has_a_key_from_then_on_and_what_was_before_stays() -> None:
    world = everybody()
    names(world, SUPPLIER)
    world.open_day("2026-12-01")
    passed("ProposeParty", MAJORITY, **newcomer())(world)
    world.must(NEWCOMER, "ActivateParty", change_id=hexid("change"))
    assert names(world, NEWCOMER) == "2026-12-03"
    supplier, late = (decode(Party, world.state[f"party/{who}"]) for who in (SUPPLIER, NEWCOMER))
    assert [is_of_pair(supplier, late, day) for day in ("2026-12-02", "2026-12-03")] == [False, True]


def test_a_party_that_is_listed_with_a_key_has_it_from_the_beginning() -> None:
    world = World()
    found(world, [listed | {"agreement_key": agreement_key(listed["msp_id"])} for listed in PARTIES])
    play(world, without=["financier document"])
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_MISSING"
    said = without_amount({"facts": facts(), "fingerprints": fingerprints()})
    assert world.must(FINANCIER, "AttestDocument", **attestation("document", **said))["released"] == PAID
    check_state(world.state)


def test_a_newcomer_that_is_admitted_with_a_key_has_it_from_the_beginning_and_a_bad_one_is_not_admitted() -> None:
    world = everybody()
    names(world, SUPPLIER)
    passed("ProposeParty", MAJORITY, **newcomer(agreement_key=agreement_key("newcomer")))(world)
    world.must(NEWCOMER, "ActivateParty", change_id=hexid("change"))
    assert keys_of(world, NEWCOMER) == [(agreement_key("newcomer"), "2000-01-01")]
    other = everybody()
    passed("ProposeParty", MAJORITY, **newcomer(agreement_key=agreement_key("newcomer")))(other)
    names(other, BUYER, "newcomer")  # meanwhile
    assert other.refusal(NEWCOMER, "ActivateParty", change_id=hexid("change")) == "PARTY_INVALID"


def test_an_admission_of_before_lists_no_key() -> None:
    world = everybody()
    world.must(SUPPLIER, "ProposeParty", **newcomer())
    now = parse_json(world.state[f"membership/{hexid('change')}"])
    assert now["proposed"].pop("agreement_key") == ""
    change = decode(MembershipChange, canonical(now | {"version": now["version"] - 1}))
    assert change.proposed is not None
    assert change.proposed.agreement_key == ""


def test_a_party_of_an_older_ledger_has_no_key() -> None:
    now = parse_json(founded().state[f"party/{SUPPLIER}"])
    old = {name: value for name, value in now.items() if name not in ("version", "agreement_keys")}
    party = decode(Party, canonical(old | {"version": now["version"] - 1}))
    assert party == from_plain(Party, old | {"agreement_keys": []})


# The amount


def of_pair(parties: tuple[str, ...] = (SUPPLIER, BUYER), **changes: Step) -> tuple[World, dict[str, Step]]:
    """A world in which these parties have keys, and the story of an invoice that is issued when they count."""
    world = founded()
    for who in parties:
        names(world, who)
    world.open_day(FROM)
    read = {"facts": facts(issue_date=FROM), "fingerprints": fingerprints()}
    steps = story() | {
        "invoice": (SUPPLIER, "RegisterInvoice", invoice(facts=read["facts"])),
        "buyer document": (BUYER, "AttestDocument", attestation("document", **read)),
        "financier document": (FINANCIER, "AttestDocument", attestation("document", **without_amount(read))),
    }
    return world, steps | changes


def without_amount(read: dict[str, Any]) -> dict[str, Any]:
    return read | {"fingerprints": {"number": fingerprints()["number"]}}


def reads(who: str, **said: Any) -> dict[str, Step]:
    """What a verifier attests of the invoice that was issued when the keys counted."""
    read = {"facts": facts(issue_date=FROM), "fingerprints": fingerprints()} | said
    name = {BUYER: "buyer document", FINANCIER: "financier document"}[who]
    return {name: (who, "AttestDocument", attestation("document", **read))}


def test_an_amount_that_only_the_pair_can_compute_is_attested_by_the_buyer_alone_and_pays() -> None:
    world, steps = of_pair()
    assert play(world, steps) == PAID
    check_state(world.state)


@pytest.mark.parametrize("parties", [(), (SUPPLIER,), (BUYER,), (FINANCIER, CARRIER)])
def test_where_one_of_the_two_has_no_key_the_financier_attests_the_amount_too(parties: tuple[str, ...]) -> None:
    world, steps = of_pair(parties)
    assert play(world, steps) == []
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_MISSING"
    control, _ = of_pair(parties)
    assert play(control, steps | reads(FINANCIER)) == PAID


def test_what_was_issued_before_the_keys_counted_keeps_the_amount_that_everybody_can_check() -> None:
    world, _ = of_pair()
    before = story() | {"financier document": (FINANCIER, "AttestDocument", attestation("document", facts=facts()))}
    assert play(world, before) == []
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_MISSING"
    control, _ = of_pair()
    assert play(control, story()) == PAID


def test_without_the_buyers_word_on_the_amount_nothing_is_paid() -> None:
    world, steps = of_pair()
    said = reads(BUYER, fingerprints={"number": fingerprints()["number"]})
    assert play(world, steps | said) == []
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_MISSING"


def test_an_amount_that_the_supplier_made_up_is_found_by_the_buyer() -> None:
    world, steps = of_pair()
    made_up = fingerprints() | {"amount": hex64("made up")}
    steps["invoice"] = (SUPPLIER, "RegisterInvoice", invoice(facts=facts(issue_date=FROM), fingerprints=made_up))
    assert play(world, steps) == []
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_DIFFER"


def test_what_a_financier_says_of_an_amount_that_it_cannot_know_counts_neither_way() -> None:
    world, steps = of_pair()
    said = reads(FINANCIER, fingerprints=fingerprints() | {"amount": hex64("the consortium's key")})
    assert play(world, steps | said) == PAID


def test_the_same_invoice_sold_again_by_the_pair_to_another_financier_is_found() -> None:
    world, steps = of_pair()
    play(world, steps)
    again = invoice("again", facts=facts(issue_date=FROM), fingerprints=fingerprints("invoice"))
    world.must(SUPPLIER, "RegisterInvoice", **again)
    world.must(BUYER, "ApproveInvoice", **approval("again"))
    assert world.classes("again")["UNIQUE"] == "ALREADY_FINANCED"


def test_an_invoice_that_is_issued_too_far_ahead_is_refused_only_where_there_are_keys() -> None:
    world = founded()
    play(world, {name: step for name, step in story().items() if name in ("document", "proof", "shipment")})
    ahead = [DAY, "2026-11-24", FROM]
    assert ahead.index("2026-11-24") == ISSUE_DAYS_AHEAD
    world.must(SUPPLIER, "RegisterInvoice", **invoice("control", facts=facts(issue_date=FROM)))
    names(world, BUYER)
    refused = invoice("too far", facts=facts(issue_date=FROM))
    assert world.refusal(SUPPLIER, "RegisterInvoice", **refused) == "ISSUE_DATE_LATER"
    for day in ahead[:2]:
        world.must(SUPPLIER, "RegisterInvoice", **invoice(day, facts=facts(issue_date=day)))
