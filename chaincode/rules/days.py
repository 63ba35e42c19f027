"""Rules of the ledger's day: it only goes forward, and one wrong clock cannot carry it away.

A step to the next business day is anybody's. A longer one, after a holiday or an outage, needs the word of more than
half of the active parties: the ledger goes as far as more than half of them say, and no way leads back. How wrong the
time of a proposal may be is bounded by the peers alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import add_days, maturity
from chaincode.records import Day
from chaincode.words import when

FIRST_ZONE_SECONDS = 14 * 3_600
"""Where each date begins first on Earth: UTC+14, of the Line Islands. Source: IANA time zones, Pacific/Kiritimati."""


def require_begun(date: str, latest_date: str, code: RefusalCode) -> None:
    """Require that a day that somebody reports has begun somewhere: whoever reports goes by the date of its own place.

    Args:
        date: as it is reported.
        latest_date: that has begun anywhere on Earth.
        code: of the refusal.

    Raises: Refusal: `code`.
    """
    if date > latest_date:
        raise Refusal(code, f"{date} has not begun anywhere on Earth")


def is_long_step(day: Day | None, date: str) -> bool:
    """Whether a date lies after the next business day, Monday to Friday; the very first day is no step."""
    return day is not None and date > _next_business_day(day.date)


def open_day(day: Day | None, date: str, proposal_date: str, words: Sequence[str]) -> Day:
    """Move the day forward, never past the date of the proposal.

    Args:
        day: the ledger's.
        date: that the sender asks for.
        proposal_date: of the transaction, UTC.
        words: of a long step, the latest date that each active party has asked for, the sender's among them; empty
            where one has asked for none.

    Returns: the day after it, which is the same one while a long step lacks words.
    Raises: Refusal: DAY_NOT_LATER, DAY_IN_FUTURE.
    """
    if day and date <= day.date:
        raise Refusal(RefusalCode.DAY_NOT_LATER, f"the ledger's day is {day.date} already: {date} is no later one")
    if date > proposal_date:
        text = f"that day begins {when(date, proposal_date)}: the transaction was proposed on {proposal_date} (UTC)"
        raise Refusal(RefusalCode.DAY_IN_FUTURE, text)
    if day is None or not is_long_step(day, date):
        return Day(date)
    agreed = sorted(words, reverse=True)[len(words) // 2]  # more than half have asked for this date or a later one
    reached = Day(min(max(day.date, agreed), date))
    return reached if is_long_step(reached, date) else Day(date)


def _next_business_day(date: str) -> str:
    return maturity(add_days(date, 1), grace_days=0, holidays=())
