"""How long is waited: as long as something moves, and not for ever. The clock is moved by hand."""

from __future__ import annotations

from network.waiting import EXTENSION_MAX, Patience


class Clock:
    """Seconds, as they are set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_what_does_not_move_is_given_up_after_the_patience_with_it() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    assert not patience.is_over("still")
    clock.seconds += 10.0
    assert not patience.is_over("still")
    clock.seconds += 0.1
    assert patience.is_over("still")
    assert patience.words == "waited 10 s, the last 10 s of them without any movement"


def test_whatever_moves_puts_the_deadline_off() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    for step in range(EXTENSION_MAX):
        clock.seconds += 9.0
        assert not patience.is_over(step)


def test_what_moves_for_ever_is_given_up_all_the_same() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    for step in range(EXTENSION_MAX * 10):
        clock.seconds += 1.0
        assert not patience.is_over(step)
    clock.seconds += 1.0
    assert patience.is_over("another step")
