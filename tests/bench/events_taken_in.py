"""Transport events taken in: uploaded over the REST API, read, checked, hashed, kept, and their commands enqueued.

Run it with `python tests/bench/events_taken_in.py`; it prints one JSON document. 10 000 EPCIS 2.0 events in 20 files
come to one node of an embedded consortium whose workers rest, so what is measured ends where the outbox begins. The
server is called in this process; sockets and TLS are not in it. XML takes its turn after JSON, other files each.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "formats"))
sys.path.insert(0, str(Path(__file__).parent))

from api_world import Caller
from consortium import BUYER, Consortium, organisations
from document_reading import EVENTS_A_FILE, event_file
from goods_papers import epcis_xml

EVENTS = 10_000


def taken_in(caller: Caller, files: list[bytes], media_type: str) -> dict[str, float]:
    """Upload all files, one after the other: seconds on the clock, and of this process's CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    for number, content in enumerate(files):
        answer = caller.http.post(
            "/v1/documents",
            data={
                "kind": "transport_events",
                "entitled": BUYER,
                "file": (io.BytesIO(content), "events", media_type),
            },
            headers=caller.bearer("uploader") | {"Idempotency-Key": f"{media_type}/{number}"},
        )
        assert answer.status_code == 202, answer.get_data(as_text=True)
    return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}


def main() -> None:
    """Measure and print."""
    in_json = [event_file(number) for number in range(EVENTS // EVENTS_A_FILE)]
    others = (json.loads(event_file(1000 + number)) for number in range(EVENTS // EVENTS_A_FILE))
    in_xml = [epcis_xml(document, document["epcisBody"]["eventList"]) for document in others]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        organisations(home)
        world = Consortium(home, home)
        caller = Caller(world, "supplier")
        taken_in(caller, [event_file(-1)], "application/json")  # what a process does once
        figures = {
            "events": EVENTS,
            "json": taken_in(caller, in_json, "application/ld+json"),
            "xml": taken_in(caller, in_xml, "application/xml"),
            "enqueued": world["supplier"].outbox.counts(),
            "load": os.getloadavg()[0],
        }
        world.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
