"""How long each step may take, unless a call says otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The default deadline of each step, in seconds; streams of events have none unless it is set."""

    evaluate_seconds: float = 10.0
    endorse_seconds: float = 15.0
    submit_seconds: float = 10.0
    commit_status_seconds: float = 60.0
    events_seconds: float | None = None
