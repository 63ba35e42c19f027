"""`make drills`: the table of faults on a real network of four organisations, under a steady stream of trades.

    make drills                                    an hour, every row at least once; those that take root with root
    make drills DRILLS="--seconds 600 --seed 7"    the same schedule whenever the seed is the same
    make drills DRILLS="--only 'kill orderer' --only 'cut 2:2'"

Prints a line for each fault and, at the end, the figures as JSON. Ends with 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stamina.instrumentation import set_on_retry_hooks

from drills import hosts
from drills.checker import checked
from drills.faults import BY_NAME, FAULTS, Fault
from drills.player import Played, play_for
from drills.trades import Trades
from drills.world import open_world

STREAMS = 3


def main() -> int:
    """Play; 1 when something was lost, twice, different, or did not heal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--streams", type=int, default=STREAMS, help="trades at once")
    parser.add_argument("--only", action="append", choices=BY_NAME, help="this row; may be given again")
    parser.add_argument("--folder", type=Path, help="where the network lies; it is kept, with its logs and findings")
    chosen = parser.parse_args()
    rows = _rows([BY_NAME[each] for each in chosen.only or BY_NAME])
    set_on_retry_hooks([])  # clients that try again would say so on standard output
    tell(f"seed {chosen.seed}, load of the machine {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as home:
        folder = chosen.folder or Path(home) / "drills"
        with open_world(folder) as world:
            with Trades(world, chosen.streams) as trades:
                played = play_for(
                    world, trades, chosen.seconds, chosen.seed, rows, lambda each: tell(f"{_now()} {each.words}")
                )
            world.await_whole()
            compared = checked(world, trades, [each.fault for each in played])
    result = {"seed": chosen.seed, "load": round(os.getloadavg()[0], 1), "faults": figures(played)}
    sys.stdout.write(json.dumps(result | {"compared": compared, "broken": trades.broken}, indent=1) + "\n")
    return 0


def _rows(wanted: Sequence[Fault]) -> list[Fault]:
    """Those that can be played here; the others are named."""
    if os.geteuid() == 0 and not hosts.missing():
        hosts.enter()
        return list(wanted)
    left_out = [each.name for each in wanted if each.rights]
    if left_out:
        tell(f"LEFT OUT, they take root, {hosts.missing() or 'and nothing more'}: {', '.join(left_out)}")
    return [each for each in wanted if not each.rights]


def figures(played: Sequence[Played]) -> dict[str, dict[str, float]]:
    """By fault: how often, and seconds until whole and until the next payment."""
    found = {}
    for name in (each.name for each in FAULTS):
        of_it = [each for each in played if each.fault == name]
        if of_it:
            found[name] = {
                "count": len(of_it),
                "whole_median": statistics.median(each.whole_seconds for each in of_it),
                "whole_largest": max(each.whole_seconds for each in of_it),
                "payment_largest": max(each.payment_seconds for each in of_it),
                "paid_meanwhile": sum(each.paid for each in of_it),
            }
    return found


def tell(line: str) -> None:
    """Progress goes to standard error; standard output is for the figures."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _now() -> str:
    return time.strftime("%H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
