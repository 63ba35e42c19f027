"""The figures that are aimed at, as lines of text beside the JSON document; what was not measured is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Row = tuple[str, str, str, Callable[[Any], str]]
ROWS: tuple[Row, ...] = (
    (
        "shim_against_go",
        "committed transactions on our shim, of those on Go's",
        ">= 0.9",
        lambda found: f"{found['committed_per_second_ratio']}",
    ),
    (
        "shim_against_go",
        "evaluates on our shim, of those on Go's",
        ">= 0.6",
        lambda found: f"{found['evaluates_per_second_ratio']}",
    ),
    (
        "shim_against_go",
        "contract CPU a transaction, ours and Go's",
        "",
        lambda found: " and ".join(f"{found[each]['contract_cpu_ms_per_transaction']} ms" for each in ("ours", "go")),
    ),
    (
        "client_against_node",
        "CPU of our client, of the Node client's",
        "<= 0.33",
        lambda found: f"{found['client_cpu_ratio']}",
    ),
    (
        "in_flight",
        "transactions in flight at once; failed",
        "2000; 0",
        lambda found: f"{found['gateway_calls_open_at_once_by_the_peer']}; {found['failed']}",
    ),
    (
        "events_against_node",
        "events a second of a node, to the Node client's; Raft, two endorse",
        ">= 20",
        lambda found: _events(found.get("raft")),
    ),
    (
        "events_against_node",
        "the same; BFT, four organisations, three endorse",
        "",
        lambda found: _events(found.get("bft")),
    ),
    (
        "rivals_for_one_facility",
        "four nodes on one facility, to one alone",
        ">= 0.9",
        lambda found: f"{found['together_to_alone']}",
    ),
    (
        "rivals_for_one_facility",
        "the slowest of them, to the fastest",
        ">= 0.125",
        lambda found: f"{found['together']['slowest_to_fastest']}",
    ),
    (
        "document_reading",
        "UBL invoices read and checked, a CPU second",
        ">= 15 x 8.5",
        lambda found: f"{found['ubl_per_cpu_second']}",
    ),
    (
        "rules_checked",
        "UBL and CII invoices checked by all EN 16931 rules, a CPU second",
        ">= 80",
        lambda found: " and ".join(f"{found[each]['per_cpu_second']}" for each in ("ubl", "cii")),
    ),
    (
        "projector_catch_up",
        "projector, writes a second into SQLite",
        ">= 10000",
        lambda found: f"{found['writes_per_second']} ({found['writes_per_cpu_second']} a CPU second)",
    ),
)


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """A line for each figure.

    Args:
        figures: what each program printed, by its name; None for one that printed nothing.
    """
    yield f"{'what':<70}{'aim':<12}measured"
    for program, what, aim, measured in ROWS:
        if figures.get(program):
            yield f"{what:<70}{aim:<12}{measured(figures[program])}"


def _events(found: Any) -> str:
    if found is None:
        return "not measured"
    ours, theirs = found["node"]["events_per_second"], found["node_client_best_per_second"]
    return f"{found['ratio']} ({ours} and {theirs} a second)"
