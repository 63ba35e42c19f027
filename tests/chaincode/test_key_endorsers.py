"""Who must endorse a change of an account: its owner, and with it a majority; enforced by peers, see tests/scenario."""

from __future__ import annotations

import json
from typing import Any

from refusal_rows import everybody
from refusals_changes import CHANGE, NEWCOMER, newcomer, passed
from world import founded, paid
from world_bodies import BUYER, CARRIER, DEPOSIT, FINANCIER, SUPPLIER, deposit

from chaincode.records import Account, decode, encode
from chaincode.rules.books import guard

ALL = (BUYER, CARRIER, FINANCIER, SUPPLIER)


def account(name: str) -> str:
    return f"account/cash/{DEPOSIT}/{name}"


def owner_and_two(owner: str) -> Any:
    return (owner,), tuple(each for each in ALL if each != owner), 2


def test_every_account_of_the_cash_book_wants_its_owner_and_a_majority_and_no_other_key_has_endorsers() -> None:
    world = paid()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    accounts = [key for key in world.keys if key.startswith("account/cash/")]
    assert len(accounts) >= 3
    assert world.endorsers == {key: owner_and_two(world.read(key)["party"]) for key in accounts}


def test_an_account_is_guarded_once_and_again_when_a_party_has_joined() -> None:
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    first = world.endorsers.pop(account(f"cash:{BUYER}"))
    world.must(FINANCIER, "IssueDeposit", **deposit("second"))
    assert account(f"cash:{BUYER}") not in world.endorsers
    passed("ProposeParty", **newcomer())(world)
    world.must(NEWCOMER, "ActivateParty", **CHANGE)
    world.must(FINANCIER, "IssueDeposit", **deposit("third"))
    owners, others, others_min = world.endorsers[account(f"cash:{BUYER}")]
    assert (owners, others) == ((BUYER,), tuple(sorted((*first[1], NEWCOMER))))
    assert 1 + others_min > (1 + len(others)) / 2


def test_an_account_of_an_older_ledger_is_guarded_with_its_next_movement() -> None:
    world = founded()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    key = account(f"cash:{BUYER}")
    older = {name: value for name, value in world.read(key).items() if name != "guard_parties"} | {"version": 1}
    world.apply({key: json.dumps(older).encode()})
    world.endorsers.clear()
    assert decode(Account, encode(decode(Account, world.state[key]))).guard_parties == 0
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=CARRIER, amount_minor=1)
    assert world.endorsers[key] == owner_and_two(BUYER)
    assert world.read(key)["guard_parties"] == len(ALL)


def test_a_command_that_is_refused_sets_no_endorsers() -> None:
    world = founded()
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit(amount_minor=2**50)) == "ISSUE_LIMIT_EXCEEDED"
    assert world.endorsers == {}


def test_of_two_parties_both_must_endorse_and_a_lone_one_alone() -> None:
    world = founded()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    held = decode(Account, world.state[account(f"cash:{BUYER}")])
    assert guard(held, [SUPPLIER, BUYER]) == ([BUYER], [SUPPLIER], 1)
    assert guard(held, [BUYER]) == ([BUYER], [], 0)
