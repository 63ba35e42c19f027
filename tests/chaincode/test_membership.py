"""Who belongs: no minority decides it, nobody joins without consent, and a thief cannot redirect what is owed."""

from __future__ import annotations

import pytest
from refusal_rows import COUSIN, OTHER_BANK, OTHER_BUYER, OTHER_SUPPLIER, Prepare, enrolled, everybody
from refusals_changes import CHANGE, NEWCOMER, newcomer, others, passed, suspended
from world import World, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    FACE_MINOR,
    FINANCIER,
    SUPPLIER,
    approval,
    body,
    deposit,
    document,
    facts,
    hex64,
    hexid,
    settlement,
    story,
)

NOON_24TH = "2026-11-24"


def status(world: World, msp_id: str) -> str:
    return str(world.read(f"party/{msp_id}")["status"])


def vote(world: World, *voters: str) -> str:
    """They are for the change, one after the other; gives its status after that."""
    said = [world.must(voter, "VoteMembership", **CHANGE)["status"] for voter in voters]
    return str(said[-1])


# Votes


def test_a_minority_cannot_suspend_a_party_and_one_more_vote_does() -> None:
    world = everybody()
    world.must(SUPPLIER, "SuspendParty", **CHANGE, msp_id=OTHER_SUPPLIER)
    assert vote(world, BUYER, FINANCIER, CARRIER) == "open"
    assert status(world, OTHER_SUPPLIER) == "active"
    assert vote(world, COUSIN) == "applied"
    assert status(world, OTHER_SUPPLIER) == "suspended"


def test_half_of_the_parties_cannot_suspend_the_other_half_one_by_one() -> None:
    world = founded()
    world.must(SUPPLIER, "SuspendParty", **CHANGE, msp_id=CARRIER)
    assert vote(world, BUYER) == "open"
    assert vote(world, FINANCIER) == "applied"


def test_votes_of_suspended_parties_do_not_count() -> None:
    world = everybody()
    world.must(SUPPLIER, "ProposeParty", **newcomer())
    assert vote(world, OTHER_BANK, COUSIN) == "open"
    for gone in (OTHER_BANK, COUSIN):
        suspended(gone, gone)(world)
    assert vote(world, BUYER, FINANCIER) == "open"
    assert vote(world, CARRIER) == "passed"


def test_a_suspended_party_is_heard_in_nothing_and_again_once_it_is_reinstated() -> None:
    world = everybody()
    suspended(CARRIER)(world)
    assert world.refusal(CARRIER, "VoteMembership", **CHANGE) == "PARTY_NOT_ACTIVE"
    assert world.refusal(CARRIER, "RegisterDocument", **document("document", entitled=[BUYER])) == "PARTY_NOT_ACTIVE"
    passed("ReinstateParty", (SUPPLIER, BUYER, FINANCIER, COUSIN), **CHANGE, msp_id=CARRIER)(world)
    assert status(world, CARRIER) == "active"
    world.must(CARRIER, "RegisterDocument", **document("document", entitled=[BUYER]))


def test_a_vote_that_is_withdrawn_counts_no_more() -> None:
    world = founded()
    world.must(SUPPLIER, "SuspendParty", **CHANGE, msp_id=CARRIER)
    vote(world, BUYER)
    assert world.must(BUYER, "WithdrawVote", **CHANGE) == {"status": "open"}
    assert vote(world, FINANCIER) == "open"
    assert vote(world, BUYER) == "applied"


def test_a_change_that_nobody_is_for_is_withdrawn_for_good() -> None:
    world = founded()
    world.must(SUPPLIER, "SuspendParty", **CHANGE, msp_id=CARRIER)
    assert world.must(SUPPLIER, "WithdrawVote", **CHANGE) == {"status": "withdrawn"}
    assert world.refusal(BUYER, "VoteMembership", **CHANGE) == "CHANGE_CLOSED"


# Admission


def test_nobody_is_admitted_without_its_own_consent() -> None:
    world = everybody()
    passed("ProposeParty", **newcomer())(world)
    assert world.read(f"party/{NEWCOMER}") is None
    assert world.refusal(SUPPLIER, "RegisterShipment", **carried_by_newcomer()) == "PARTY_UNKNOWN"
    assert world.must(NEWCOMER, "ActivateParty", **CHANGE) == {"status": "applied"}
    assert world.read(f"party/{NEWCOMER}")["roles"] == ["carrier"]
    world.must(SUPPLIER, "RegisterShipment", **carried_by_newcomer())
    assert world.refusal(NEWCOMER, "ActivateParty", **CHANGE) == "NOT_ADMITTED"


def carried_by_newcomer() -> dict[str, object]:
    return story()["shipment"][2] | {"carrier": NEWCOMER}


def test_an_admission_that_lost_its_votes_before_the_consent_admits_nobody() -> None:
    world = everybody()
    passed("ProposeParty", **newcomer())(world)
    assert world.must(BUYER, "WithdrawVote", **CHANGE) == {"status": "open"}
    assert world.refusal(NEWCOMER, "ActivateParty", **CHANGE) == "NOT_ADMITTED"
    vote(world, OTHER_BANK)
    passed("SuspendParty", (SUPPLIER, BUYER, CARRIER, COUSIN, OTHER_BUYER), change_id=hexid("x"), msp_id=OTHER_BANK)(
        world
    )
    world.must(NEWCOMER, "ActivateParty", **CHANGE)


def test_an_admission_keeps_on_having_passed_while_enough_are_for_it() -> None:
    world = everybody()
    passed("ProposeParty", **newcomer())(world)
    vote(world, OTHER_BANK)
    assert world.must(BUYER, "WithdrawVote", **CHANGE) == {"status": "passed"}
    world.must(NEWCOMER, "ActivateParty", **CHANGE)


def test_votes_are_counted_again_when_the_new_party_consents() -> None:
    world = everybody()
    passed("ProposeParty", (SUPPLIER, BUYER, FINANCIER, CARRIER, OTHER_BANK), **newcomer())(world)
    for gone in (OTHER_BANK, CARRIER):
        suspended(gone, gone)(world)
    assert world.read(f"membership/{CHANGE['change_id']}")["status"] == "passed"
    assert world.refusal(NEWCOMER, "ActivateParty", **CHANGE) == "NOT_ADMITTED"
    vote(world, COUSIN)
    world.must(NEWCOMER, "ActivateParty", **CHANGE)


def test_a_change_of_roles_is_no_admission_that_its_party_could_consent_to() -> None:
    """Four of eight are for it, and after three others are suspended three of five are enough."""
    world = everybody()
    asked = {"msp_id": COUSIN, "roles": ["supplier"], "issue_limits": {}}
    passed("ChangeRoles", (SUPPLIER, BUYER, FINANCIER, CARRIER), **CHANGE, **asked)(world)
    for gone in (OTHER_SUPPLIER, OTHER_BUYER, OTHER_BANK):
        suspended(gone, gone)(world)
    assert world.must(CARRIER, "WithdrawVote", **CHANGE) == {"status": "open"}
    assert world.refusal(COUSIN, "ActivateParty", **CHANGE) == "NOT_ADMITTED"


# Suspension


def all_but_last() -> World:
    """Everything stands but the approval, in a consortium of eight."""
    world = everybody()
    play(world, without=("approval",))
    return world


@pytest.mark.parametrize("msp_id", [SUPPLIER, FINANCIER])
def test_nothing_is_funded_that_a_suspended_party_has_a_part_in(msp_id: str) -> None:
    world = all_but_last()
    suspended(msp_id)(world)
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.classes()["PARTIES"] == "PARTY_NOT_ACTIVE"
    passed("ReinstateParty", others(msp_id), **CHANGE, msp_id=msp_id)(world)
    assert world.must(BUYER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == [hexid("invoice")]


def test_a_suspended_buyer_may_still_pay_what_it_owes_and_owe_nothing_new() -> None:
    world = everybody()
    play(world)
    world.must(FINANCIER, "IssueDeposit", **deposit())
    suspended(BUYER)(world)
    world.must(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "PARTY_NOT_ACTIVE"
    world.must(BUYER, "SettleInvoice", **settlement())
    assert world.read(f"invoice/{hexid('invoice')}")["status"] == "settled"


def test_a_buyer_whose_role_was_taken_away_may_still_pay_what_it_owes() -> None:
    world = everybody()
    play(world)
    world.must(FINANCIER, "IssueDeposit", **deposit())
    roles(BUYER, "carrier")(world)
    world.open_day(NOON_24TH)
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "ROLE_MISSING"
    world.must(BUYER, "SettleInvoice", **settlement())


# Roles


def roles(msp_id: str, *names: str, **limits: int) -> Prepare:
    voters = (SUPPLIER, BUYER, FINANCIER, CARRIER, COUSIN)
    return passed("ChangeRoles", voters, **CHANGE, msp_id=msp_id, roles=list(names), issue_limits=limits)


def test_new_roles_count_from_the_next_day_on() -> None:
    world = everybody()
    roles(CARRIER, "carrier", "issuer", EUR=5)(world)
    ask = deposit(to=SUPPLIER, amount_minor=5) | {"deposit": f"EUR@{CARRIER}"}
    assert world.refusal(CARRIER, "IssueDeposit", **ask) == "ROLE_MISSING"
    world.open_day(NOON_24TH)
    world.must(CARRIER, "IssueDeposit", **ask)
    assert world.read(f"party/{CARRIER}")["pending_roles"]["roles"] == ["carrier", "issuer"]


def test_a_party_may_get_other_roles_while_it_is_suspended() -> None:
    world = everybody()
    suspended(OTHER_BANK)(world)
    roles(OTHER_BANK, "financier")(world)
    world.open_day(NOON_24TH)
    passed("ReinstateParty", (SUPPLIER, BUYER, FINANCIER, COUSIN), change_id=hexid("back"), msp_id=OTHER_BANK)(world)
    ask = deposit() | {"deposit": f"EUR@{OTHER_BANK}"}
    assert world.refusal(OTHER_BANK, "IssueDeposit", **ask) == "ROLE_MISSING"


def test_a_limit_below_what_is_issued_stops_further_issues_and_no_payment() -> None:
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    roles(FINANCIER, "financier", "issuer", EUR=1)(world)
    world.open_day(NOON_24TH)
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit("more", amount_minor=1)) == "ISSUE_LIMIT_EXCEEDED"
    play(world, without=("acceptance", "facility", "request"))
    world.must(BUYER, "SettleInvoice", **settlement())
    assert world.balance(f"cash:{SUPPLIER}") == FACE_MINOR


# The payout account


NEW_ACCOUNT = {"payout_fingerprint": hex64("the thief's account")}


def invoice_naming(world: World, account: str) -> list[str]:
    """An invoice whose document names this account, with all its evidence; gives what was paid."""
    said = facts(payee=account)
    steps = story() | body("invoice", facts=said)
    steps |= body("buyer document", facts=said) | body("financier document", facts=said)
    return play(world, steps)


def test_a_payout_account_swapped_before_the_payment_is_not_paid() -> None:
    world = founded()
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    assert invoice_naming(world, NEW_ACCOUNT["payout_fingerprint"]) == []
    assert world.classes()["AMOUNT"] == "PAYEE_DIFFERS"


def test_the_control_of_the_swap_is_paid_as_ever() -> None:
    world = founded()
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    assert invoice_naming(world, hex64(f"payout {SUPPLIER}")) == [hexid("invoice")]


@pytest.mark.parametrize(("day_opens", "hours", "counts"), [(True, 24, True), (True, 23, False), (False, 48, False)])
def test_a_new_account_counts_from_the_next_day_and_not_before_24_hours(
    day_opens: bool, hours: int, counts: bool
) -> None:
    world = founded()
    said = world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    assert said == {"from_day": NOON_24TH, "not_before_seconds": world.timestamp + 86_400}
    assert invoice_naming(world, NEW_ACCOUNT["payout_fingerprint"]) == []
    proposed_at = world.timestamp
    if day_opens:
        world.open_day(NOON_24TH)
    world.timestamp = proposed_at + hours * 3_600
    assert world.classes()["AMOUNT"] == ("HOLDS" if counts else "PAYEE_DIFFERS")


def test_the_old_account_named_again_stops_the_thief_in_time() -> None:
    world = founded()
    old = {"payout_fingerprint": hex64(f"payout {SUPPLIER}")}
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    world.must(SUPPLIER, "ChangePayoutAccount", **old)
    world.open_day("2026-11-26")
    assert invoice_naming(world, NEW_ACCOUNT["payout_fingerprint"]) == []
    assert world.classes()["AMOUNT"] == "PAYEE_DIFFERS"


def test_an_invoice_that_names_the_account_before_stays_payable() -> None:
    world = founded()
    assert play(world, without=["approval"]) == []
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    world.open_day("2026-11-25")
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]


def test_an_invoice_stays_payable_to_the_ten_accounts_before_the_present_one_and_to_no_older_one() -> None:
    world = founded()
    play(world, without=["approval"])
    found = []
    for number in range(11):
        world.must(SUPPLIER, "ChangePayoutAccount", payout_fingerprint=hex64(f"account {number}"))
        world.open_day(f"2026-12-{number + 1:02}")
        found.append(world.classes()["AMOUNT"])
    assert found == ["NOT_APPROVED"] * 10 + ["PAYEE_DIFFERS"]


def test_one_person_alone_cannot_swap_the_account_of_a_party_under_four_eyes() -> None:
    world = founded()
    enrolled(SUPPLIER)(world)
    assert world.refusal(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT, persons=("anna", "berta"))


def test_what_was_pending_and_counts_is_written_as_such_with_the_next_change() -> None:
    world = founded()
    world.must(SUPPLIER, "ChangePayoutAccount", **NEW_ACCOUNT)
    world.open_day("2026-11-25")
    world.must(SUPPLIER, "ChangePeerUrl", peer_url="https://new.example:8443")
    own = world.read(f"party/{SUPPLIER}")
    assert own["payout_fingerprint"] == NEW_ACCOUNT["payout_fingerprint"]
    assert own["former_payouts"] == [{"fingerprint": hex64(f"payout {SUPPLIER}"), "replaced_on": NOON_24TH}]
    assert (own["pending_payout"], own["peer_url"]) == (None, "https://new.example:8443")
