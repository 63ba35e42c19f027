"""Whether the process lives, whether the node is ready, and its figures. No token: nothing here is of the trade."""

from __future__ import annotations

import time
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from ledger_node.api.answers import answers
from ledger_node.api.context import current_node
from ledger_node.api.figures import NodeFigures, lag_blocks
from ledger_node.api.ledger_view import LedgerSeen, LedgerView
from ledger_node.api.problem import Problem
from ledger_node.node import Node
from ledger_node.operations.fields import Out
from ledger_node.workers.heartbeats import TROUBLE_SECONDS_MAX, WorkerState

METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
routes = APIBlueprint("health", __name__, tag="Health")

_METRICS = "ledger_node_metrics"
_LEDGER = "ledger_node_ledger_view"


class LiveOut(Out):
    """The process answers."""

    live: bool


class ReadyOut(Out):
    """The node is ready: workers run, databases and peer answer, and it lacks few of the ledger's blocks."""

    ready: bool
    msp_id: str
    ledger: str
    block_number: int
    height: int
    lag_blocks: int
    day: str
    outbox: dict[str, int]
    workers: list[dict[str, Any]]


@routes.get("/health/live")
@answers(routes, LiveOut)
def live() -> dict[str, bool]:
    """Whether this process answers at all."""
    return {"live": True}


@routes.get("/health/ready")
@answers(routes, ReadyOut)
@routes.doc(responses=[503])
def ready() -> dict[str, Any]:
    """Whether the node can do its work; 503 with the `reasons` when it cannot.

    Ready is: all workers are well and none has had nothing but errors for 15 seconds, databases are well, the own peer
    answers, and the read model is at most `lag_blocks_max` blocks behind it.
    """
    try:
        health = current_node().health()
    except SQLAlchemyError as error:
        raise _not_ready(["a database of the node does not answer"]) from error
    reasons = [_reason(worker) for worker in health["workers"] if not worker["well"]]
    if not any(worker["pid"] for worker in health["workers"]):
        reasons = ["no worker of this node has ever run"]
    seen = current_app.extensions[_LEDGER].look()
    audit = current_node().audit
    if not audit.again():
        reasons.append(f"the audit log cannot be written, so that nothing is done: {audit.trouble}")
    reasons += _behind(seen, health["block_number"], current_node().settings.limits.lag_blocks_max)
    if reasons or not health.pop("ok"):
        raise _not_ready(reasons)
    return {"ready": True, **health, "height": seen.height, "lag_blocks": lag_blocks(seen, health["block_number"])}


@routes.get("/metrics")
@routes.doc(responses={200: "Prometheus text format."})
def metrics() -> Response:
    """Figures for Prometheus.

    Submissions by status, outbox depth, transactions sent anew by reason (`ledger_node_outbox_retries`: conflicts,
    unknown fates, missing endorsements), block number, verdicts, open findings (`ledger_node_findings_open`),
    hashing by this process, by the workers (`ledger_node_hash_worker_documents`) and by the hashing service
    (`ledger_node_hash_*`), HTTP answers and how long they took (`http_request_seconds`), the age of the oldest command
    without a final answer (`ledger_node_outbox_oldest_seconds`).
    """
    return Response(generate_latest(current_app.extensions[_METRICS]), content_type=CONTENT_TYPE_LATEST)


def count_requests(app: Flask, node: Node) -> None:
    """Count the answers of `app`, and offer the node's figures beside."""
    registry = CollectorRegistry()
    requests = Counter(
        "http_requests", "Answers by method, route and status.", ["method", "route", "status"], registry=registry
    )
    seconds = Histogram(
        "http_request_seconds", "How long answers took, by method and route.", ["method", "route"], registry=registry
    )
    view = LedgerView(lambda: node.ledger.height())
    registry.register(NodeFigures(view))
    app.extensions[_METRICS], app.extensions[_LEDGER] = registry, view

    @app.after_request
    def _count(response: Response) -> Response:
        # The route's pattern, never the address itself: ids would make a new series each.
        route = request.url_rule.rule if request.url_rule else "unknown"
        method = request.method if request.method in METHODS else "other"  # a guest may send any word as a method
        requests.labels(method, route, str(response.status_code)).inc()
        if "began" in g:
            seconds.labels(method, route).observe(time.perf_counter() - g.began)
        return response


def _behind(seen: LedgerSeen, block_number: int, lag_blocks_max: int) -> list[str]:
    """Why the node cannot be relied on for what the ledger holds now."""
    if seen.height is None:
        return [seen.trouble]
    if seen.height and block_number < 0:
        return [f"no block is in the read model yet, and the ledger has {seen.height}"]
    lag = lag_blocks(seen, block_number)
    return [f"the read model lacks {lag} of the ledger's {seen.height} blocks"] if lag > lag_blocks_max else []


def _reason(worker: dict[str, Any]) -> str:
    text = f": {worker['text']}" if worker["text"] else ""
    if worker["state"] == WorkerState.RUNNING and worker["trouble_seconds"] > TROUBLE_SECONDS_MAX:
        return f"{worker['worker']} has had nothing but errors for {worker['trouble_seconds']} s{text}"
    return f"{worker['worker']} is {worker['state']}, silent for {worker['silent_seconds']} s{text}"


def _not_ready(reasons: list[str]) -> Problem:
    text = "; ".join(reasons) or "the node is not ready"
    return Problem(503, "NOT_READY", text, "Look at the node's log.", headers={"Retry-After": "2"}, reasons=reasons)
