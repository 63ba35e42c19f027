"""The invariants under generated sequences of commands: every step of every run keeps them all."""

from __future__ import annotations

import functools
from random import Random

import pytest
from generated import CIVIC, Life
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from invariants import ARROWS

from chaincode.contract import COMMANDS

pytestmark = pytest.mark.no_cover  # what only a generated life reaches has no test

SEEDS = range(10)
STEPS = 450
LOOKS_DONE = {"CREDIT_LOOKS_ISSUED", "PAYMENT_LOOKS_CONFIRMED"}


class Consortium(RuleBasedStateMachine):
    """Hypothesis decides every choice of a generated life; each step checks all invariants."""

    @initialize(random=st.randoms(use_true_random=False))
    def begin(self, random: Random) -> None:
        self.life = Life(random)

    @rule()
    def transact(self) -> None:
        self.life.step()


TestGeneratedLife = Consortium.TestCase
TestGeneratedLife.settings = settings(
    max_examples=8, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.long
def test_many_long_lives_keep_all_invariants() -> None:
    for seed in range(1_000, 1_100):
        life = Life(Random(seed))
        for _ in range(1_500):
            life.step()


@functools.cache
def lived(seed: int) -> Life:
    life = Life(Random(seed))
    for _ in range(STEPS):
        life.step()
    return life


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seeded_life_keeps_all_invariants(seed: int) -> None:
    life = lived(seed)
    assert len(CIVIC & {one["type"] for _, one in life.history}) >= 4
    assert life.accepted >= 0.3 * life.sent


def test_in_seeded_lives_all_commands_are_applied_all_arrows_followed_and_invoices_paid() -> None:
    applied = {one["type"] for seed in SEEDS for _, one in lived(seed).history}
    assert applied | {"FoundConsortium", "ConfirmFounding"} == set(COMMANDS), "the founding begins every life"
    assert {arrow for seed in SEEDS for arrow in lived(seed).arrows} == ARROWS

    assert sum(lived(seed).paid for seed in SEEDS) >= 20


def test_seeded_lives_meet_the_refusals_of_what_looks_like_something_that_was_done_before() -> None:
    met = {code for seed in SEEDS for code in lived(seed).refused}
    assert met >= LOOKS_DONE
