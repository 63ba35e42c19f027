"""The invariants under generated sequences of commands: every step of every run keeps them all."""

from __future__ import annotations

from random import Random

import pytest
from generated import CIVIC, Life
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule


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


@pytest.mark.parametrize("seed", range(4))
def test_a_seeded_life_pays_and_keeps_all_invariants(seed: int) -> None:
    life = Life(Random(seed))
    for _ in range(320):
        life.step()
    assert life.paid >= 4
    assert len(CIVIC & {one["type"] for _, one in life.history}) >= 8
    assert life.accepted >= 0.3 * life.sent
