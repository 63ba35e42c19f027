"""From the last piece of evidence at the buyer's node to the money at the supplier's node; prints one JSON document.

Real network of four organisations, four nodes, on this machine. A trade is prepared until nothing but the buyer's
approval is missing; then the clock runs from the approval's POST (answered 202 at once) until the supplier's API shows
the invoice as early-paid. `seconds_to_first_transaction` counts from an empty folder, tools built.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from ledger_node.demo import papers, story
from ledger_node.demo.stage import Stage, await_true, open_stage
from ledger_node.demo.trade import Trade

TRADES = 20


def main() -> int:
    """Measure and print."""
    today = dt.datetime.now(dt.UTC).date()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stage(Path(folder) / "demo", "fabric", keep=False, progress=lambda _: None) as stage,
    ):
        own = papers.generate(today)
        story.found(stage, own)
        story.await_day(stage, today)
        facility_id = story.open_facility(stage, own)
        seconds = [measure(stage, Trade(stage, facility_id, papers.generate(today), str(n))) for n in range(TRADES)]
        figures = {
            "trades": TRADES,
            "seconds_median": round(statistics.median(seconds), 3),
            "seconds_min": round(min(seconds), 3),
            "seconds_max": round(max(seconds), 3),
            "seconds_to_network": stage.timings_ms["network_up"] / 1000,
            "seconds_to_first_transaction": stage.timings_ms["first_transaction"] / 1000,
        }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


def measure(stage: Stage, trade: Trade) -> float:
    """Seconds from the accepted approval to the money."""
    for name in ("invoice", "events", "proof"):
        trade.upload(name)
    trade.ship()
    trade.register()
    trade.request()
    trade.deliver()
    trade.await_evidence()
    shown = trade.shown("buyer")
    body = {name: shown[name] for name in ("amount", "currency", "due_date")} | {"buyer_reference": trade.invoice_id}
    buyer, supplier = stage.client("buyer", "approver"), stage.client("supplier", "auditor")
    buyer.post(f"/v1/invoices/{trade.invoice_id}/approval", body, wait_seconds=0)
    begun = time.monotonic()
    path = f"/v1/invoices/{trade.invoice_id}"
    await_true("the money", lambda: supplier.get(path)["status"] == "early-paid")
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
