"""A discount that is earned over its tenor: equal parts a day, in whole minor units, that sum to it exactly.

With D minor units over n days each day earns D // n, and the first D mod n days one more: all days have the same claim
on what is left over, so largest remainders give it to the earliest.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from chaincode.money import add_days, days_between


@dataclass(slots=True)
class Tenor:
    """What is earned of one discount.

    Args:
        start: the day of the payment, on which nothing is earned yet.
        days: until maturity, at least one.
        total_minor: the discount.
        days_earned: how many of the days have been booked.
    """

    start: str
    days: int
    total_minor: int
    days_earned: int = 0

    def earned_minor(self, days: int) -> int:
        """What the first so many days earn together."""
        each, left_over = divmod(self.total_minor, self.days)
        return each * days + min(days, left_over)

    def unearned_minor(self) -> int:
        """What has not been booked yet."""
        return self.total_minor - self.earned_minor(self.days_earned)

    def earn_until(self, day: str) -> list[tuple[str, int]]:
        """Book what was earned up to a day: one amount for each calendar month, on its last day or `day`."""
        until = min(self.days, days_between(self.start, day))
        booked = []
        while self.days_earned < until:
            month_end = _month_end(add_days(self.start, self.days_earned + 1))
            upto = min(until, days_between(self.start, month_end))
            amount = self.earned_minor(upto) - self.earned_minor(self.days_earned)
            booked.append((add_days(self.start, upto), amount))
            self.days_earned = upto
        return booked

    def close(self) -> int:
        """Book the rest at once, and say how much it is."""
        rest = self.unearned_minor()
        self.days_earned = self.days
        return rest


def _month_end(day: str) -> str:
    date = dt.date.fromisoformat(day)
    return date.replace(day=calendar.monthrange(date.year, date.month)[1]).isoformat()
