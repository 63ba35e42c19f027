"""After an outage the nodes open the day by themselves, each by its own clock; one wrong clock decides nothing."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

from api_world import Clock, people_from
from consortium import BUYER, CARRIER, FINANCIER, SUPPLIER, Consortium, eventually, organisations

from ledger_node.workers.day_opener import DayOpener

MONDAY, SUNDAY = dt.date(2026, 11, 23), dt.date(2026, 11, 29)
TEN_YEARS_ON = dt.date(2036, 11, 24)
CLOCKS = {SUPPLIER: TEN_YEARS_ON, BUYER: MONDAY - dt.timedelta(days=1), FINANCIER: SUNDAY, CARRIER: SUNDAY}


def days(world: Consortium) -> set[str]:
    """The ledger's day as each node has read it."""
    return {node.readmodel.day() for node in world.nodes.values()}


def test_a_clock_ten_years_ahead_and_one_behind_leave_the_day_to_the_others(tmp_path: Path) -> None:
    organisations(tmp_path)
    with people_from(MONDAY, tmp_path, tmp_path) as people:
        assert people.clock
        people.clock.date = TEN_YEARS_ON  # a ledger that takes any proposal, so that only the contract stands between
        stop, clocks = threading.Event(), {msp_id: Clock(date) for msp_id, date in CLOCKS.items()}
        nodes = {node.msp_id: node for node in people.world.nodes.values()}
        openers = {
            msp_id: threading.Thread(
                target=DayOpener(
                    msp_id, node.readmodel, node.readmodel_database.changes, node.outbox.put, clocks[msp_id]
                ).run,
                args=(stop,),
            )
            for msp_id, node in nodes.items()
        }
        try:
            for msp_id in (SUPPLIER, BUYER, FINANCIER):
                openers[msp_id].start()
            eventually(
                lambda: all(nodes[SUPPLIER].readmodel.record(f"day_word/{one}") for one in (SUPPLIER, FINANCIER)),
                "two of four have given their word",
            )
            assert days(people.world) == {MONDAY.isoformat()}
            openers[CARRIER].start()
            eventually(lambda: days(people.world) == {SUNDAY.isoformat()}, "three have, and it is as late as they say")
            for msp_id in (FINANCIER, CARRIER):
                clocks[msp_id].date = SUNDAY + dt.timedelta(days=1)
            eventually(lambda: days(people.world) == {"2026-11-30"}, "the next day needs nobody's word")
        finally:
            stop.set()
            for opener in openers.values():
                if opener.ident:
                    opener.join()
