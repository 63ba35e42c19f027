"""What was checked, step by step, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VALID, INVALID, ERROR, SKIPPED = "VALID", "INVALID", "ERROR", "SKIPPED"
EXIT_VALID, EXIT_OPEN, EXIT_INVALID = 0, 4, 6
REASON_CHARACTERS_MAX = 20_000
LIMITS = (
    "It says nothing of what happened after these blocks, and nothing of whether documents tell the truth.",
    "Times are what senders said of their own clocks; peers take none that is 15 minutes off theirs.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and its reason."""

    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its number, its name for programs, what it checks, and what came of it."""

    number: int
    name: str
    checks: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """All steps, in order."""

    steps: tuple[Step, ...]

    @property
    def exit_code(self) -> int:
        """0 when every step is VALID, 6 when any is INVALID, 4 when any could not be checked."""
        verdicts = {step.verdict for step in self.steps}
        return EXIT_INVALID if INVALID in verdicts else EXIT_OPEN if verdicts != {VALID} else EXIT_VALID

    def as_json(self) -> dict[str, Any]:
        """For programs; `verdict` is of all together."""
        steps = [{name: getattr(step, name) for name in Step.__slots__} for step in self.steps]
        return {"verdict": self.verdict, "steps": steps, "limits": list(LIMITS)}

    @property
    def verdict(self) -> str:
        """VALID, INVALID, or SKIPPED when something is left open."""
        return {EXIT_VALID: VALID, EXIT_INVALID: INVALID, EXIT_OPEN: SKIPPED}[self.exit_code]

    def as_text(self) -> str:
        """For people."""
        last = {
            VALID: "All of it holds.",
            INVALID: "It does not hold: see the steps that say INVALID.",
            SKIPPED: "Nothing was found false, but not all of it could be checked: see SKIPPED and ERROR.",
        }[self.verdict]
        lines = [f"{step.number:2}  {step.verdict:7}  {step.checks}: {step.reason}" for step in self.steps]
        return "\n".join([*lines, "", last, *LIMITS])


def printable(text: str) -> str:
    """What comes from a forger's hand must not speak to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)[:REASON_CHARACTERS_MAX]


def worst(outcomes: Sequence[Outcome], all_valid: str) -> Outcome:
    """What several checks of one step come to: the first that is INVALID, else ERROR, else SKIPPED, else VALID."""
    for verdict in (INVALID, ERROR, SKIPPED):
        for outcome in outcomes:
            if outcome.verdict == verdict:
                return outcome
    return Outcome(VALID, all_valid)
