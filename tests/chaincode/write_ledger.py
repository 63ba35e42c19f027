"""Writes a ledger as the contract of today writes it, so that later ones can be tested to read it.

Run by hand, with the commit whose ledgers are to be kept readable checked out; what it writes is added to the tests:

    python tests/chaincode/write_ledger.py COMMIT > tests/chaincode/ledgers/COMMIT.json.gz

It plays whole and half stories and a generated life, so that every kind of record stands in many states. It uses only
what was there in the first commit that is kept, and must stay that way.
"""

from __future__ import annotations

import gzip
import json
import sys
from random import Random

from generated import Life
from world import World, founded, paid, play
from world_bodies import BUYER, FINANCIER, SUPPLIER, deposit, hexid, request, settlement


def _worlds() -> dict[str, World]:
    registered = founded()
    play(registered, without=("approval",))
    settled = paid()
    settled.must(SUPPLIER, "RequestEarlyPayment", **request() | {"invoice_id": ""})
    settled.must(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))
    settled.must(FINANCIER, "IssueDeposit", **deposit())
    settled.must(BUYER, "SettleInvoice", **settlement())
    life = Life(Random(7))
    for _ in range(150):
        life.step()
    return {"registered": registered, "paid": paid(), "settled": settled, "life": life.world}


def main() -> None:
    """Write all key/value pairs of all worlds, compressed, to standard output."""
    worlds = _worlds()
    content = {
        "commit": sys.argv[1],
        "worlds": {name: {key: json.loads(world.state[key]) for key in world.keys} for name, world in worlds.items()},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    sys.stdout.buffer.write(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main()
