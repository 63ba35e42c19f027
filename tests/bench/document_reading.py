"""Documents read: facts a second of CPU from UBL, CII and EPCIS, parsed and checked, on one core after warm-up.

Run it with `python tests/bench/document_reading.py`; it prints one JSON document. Every file is another one (its number
differs), so nothing is remembered from one to the next but what a process compiles once. What is measured is CPU time
within the readers, bytes in and facts out.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node"))

from trade_papers import cii, ubl

from ledger_node.demo import samples
from ledger_node.formats.transport import read_events
from ledger_node.formats.ubl_cii import read_invoice

DOCUMENTS = 500
EVENT_FILES = 20
EVENTS_A_FILE = 500
WARM_UP = 3


def per_cpu_second(read: Callable[[bytes], object], files: list[bytes]) -> float:
    """How many of the files are read in a second of CPU, once the reader is warm."""
    for content in files[:WARM_UP]:
        read(content)
    began = time.process_time()
    for content in files[WARM_UP:]:
        read(content)
    return (len(files) - WARM_UP) / (time.process_time() - began)


def event_file(number: int) -> bytes:
    """A file of EVENTS_A_FILE events, two for each of its shipments."""
    when = dt.datetime(2026, 10, 28, 8, 30, tzinfo=dt.UTC)
    made = [
        json.loads(samples.delivery_events_epcis(f"{number}-{each}", "PO", samples.SUPPLIER, samples.BUYER, when, when))
        for each in range(EVENTS_A_FILE // 2)
    ]
    document = made[0]
    document["epcisBody"]["eventList"] = [event for one in made for event in one["epcisBody"]["eventList"]]
    return json.dumps(document).encode()


def main() -> None:
    """Measure and print."""
    events = per_cpu_second(read_events, [event_file(number) for number in range(EVENT_FILES)])
    figures = {
        "ubl_per_cpu_second": per_cpu_second(read_invoice, [ubl(f"INV-{number}") for number in range(DOCUMENTS)]),
        "cii_per_cpu_second": per_cpu_second(read_invoice, [cii(f"C-{number}") for number in range(DOCUMENTS)]),
        "events_per_cpu_second": events * EVENTS_A_FILE,
    }
    sys.stdout.write(json.dumps({name: round(value) for name, value in figures.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
