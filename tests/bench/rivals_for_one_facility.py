"""Four outboxes that pay out of one facility and one account at once, against one of them alone; prints JSON.

Real network of four organisations with BFT ordering and the contract itself. Invoices are prepared until each misses
one piece of evidence; then the clock runs from the start of the senders to the last answer. Once one organisation
brings all last pieces, once each brings a quarter. The projectors of all four run beside them, as in a node. What was
paid is read back from the ledger, invoice by invoice.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

# Folders of tests carry the packages' names: with the root before them the real packages win.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import contention
import structlog

from ledger_node.background import projector_of, sender_of
from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.node import Node, open_node
from network import control
from network.topology import Topology, demo_topology, free_base_port

SECONDS_MAX = 600


def measure(nodes: dict[str, Node], senders: tuple[str, ...], count: int) -> dict[str, Any]:
    """Payments a second, of all together and of each."""
    ledgers = {name: node.ledger for name, node in nodes.items()}
    prepared = contention.prepare(ledgers, count, senders)
    outboxes = {name: nodes[name].outbox for name in senders}
    before = {name: node.retries.counts() for name, node in nodes.items()}
    contention.put_all(outboxes, {name: prepared.last[name] for name in senders})
    for node in nodes.values():
        projector_of(node).catch_up()  # a node that runs has seen what was prepared
    with contention.sending([projector_of(node).run for node in nodes.values()]):
        began = time.monotonic()
        with contention.sending([sender_of(nodes[name]).run for name in senders]):
            done = contention.await_answers(outboxes, SECONDS_MAX)
        seconds = time.monotonic() - began
    contention.assert_all_paid_once(ledgers[senders[0]], prepared)
    rates = {name: len(prepared.last[name]) / done[name] for name in senders}
    return {
        "paid": count,
        "payments_per_second": round(count / max(done.values()), 1),
        "seconds": round(seconds, 2),
        "slowest_to_fastest": round(min(rates.values()) / max(rates.values()), 2),
        "sent_anew": {
            name: {reason: n - before[name].get(reason, 0) for reason, n in node.retries.counts().items()}
            for name, node in nodes.items()
        },
    }


def main() -> int:
    """Print the figures; what was not paid, or paid twice, is an assertion that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=400)
    parser.add_argument("--group", type=int, default=10, help="commands in one transaction at most")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # conflicts are counted
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        home = Path(temporary)
        demo_topology(home, free_base_port(first=random.randrange(15000, 30000, 40))).save(home / "network.yaml")
        os.environ["LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX"] = str(options.group)
        settings = [load_settings(home / "nodes" / name) for name in write_demo(home, None, "fabric")]
        topology = Topology.load(home / "network.yaml")
        stack.callback(control.down, topology)
        control.up(topology, lambda line: print(line, file=sys.stderr))  # noqa: T201 - progress
        nodes = {each.msp_id: stack.enter_context(closing(open_node(each))) for each in settings}
        contention.found({name: node.ledger for name, node in nodes.items()})
        alone = measure(nodes, (contention.BUYER,), options.invoices)
        together = measure(nodes, contention.PARTIES, options.invoices)
        ratio = together["payments_per_second"] / alone["payments_per_second"]
        figures = {
            "commands_a_transaction_max": options.group,
            "alone": alone,
            "together": together,
            "together_to_alone": round(ratio, 2),
        }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
