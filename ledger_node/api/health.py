"""Whether the process lives, whether the node is ready, and its figures. No token: nothing here is of the trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from ledger_node.api.answers import answers
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.hashing.service.client import ServiceHasher
from ledger_node.operations.fields import Out

routes = APIBlueprint("health", __name__, tag="Health")

_METRICS = "ledger_node_metrics"
OPEN_STATUSES = ("waiting", "sent")


class LiveOut(Out):
    """The process answers."""

    live: bool


class ReadyOut(Out):
    """The node is ready: its workers run and its databases answer."""

    ready: bool
    msp_id: str
    ledger: str
    block_number: int
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
    """Whether the node can do its work; 503 with the reasons when it cannot."""
    try:
        found = current_node().health()
    except SQLAlchemyError as error:
        raise _not_ready(["a database of the node does not answer"]) from error
    reasons = [_reason(worker) for worker in found["workers"] if not worker["well"]]
    if not found["workers"]:
        reasons = ["no worker of this node has ever run"]
    if reasons or not found.pop("ok"):
        raise _not_ready(reasons)
    return {"ready": True, **found}


@routes.get("/metrics")
@routes.doc(responses={200: "Prometheus text format."})
def metrics() -> Response:
    """Figures for Prometheus.

    Submissions by status, outbox depth, transactions sent anew by reason (`ledger_node_outbox_retries`: conflicts,
    unknown fates, missing endorsements), block number, verdicts, open findings (`ledger_node_findings_open`),
    hashing by this process, by the workers (`ledger_node_hash_worker_documents`) and by the hashing service
    (`ledger_node_hash_*`), HTTP answers.
    """
    return Response(generate_latest(current_app.extensions[_METRICS]), content_type=CONTENT_TYPE_LATEST)


def count_requests(app: Flask) -> None:
    """Count the answers of `app`, and offer the node's figures beside."""
    registry = CollectorRegistry()
    requests = Counter(
        "http_requests", "Answers by method, route and status.", ["method", "route", "status"], registry=registry
    )
    registry.register(_NodeFigures(app))
    app.extensions[_METRICS] = registry

    @app.after_request
    def _count(response: Response) -> Response:
        # The route's pattern, never the address itself: ids would make a new series each.
        route = request.url_rule.rule if request.url_rule else "unknown"
        requests.labels(request.method, route, str(response.status_code)).inc()
        return response


class _NodeFigures:
    """Reads the node's figures whenever they are asked for."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app:
            return  # registering asks once, before there is a request
        node = current_node()
        counts = node.outbox.counts()
        yield _family("ledger_node_submissions", "Submissions by status.", "status", counts)
        depth = sum(counts[status] for status in OPEN_STATUSES)
        yield GaugeMetricFamily("ledger_node_outbox_depth", "Commands without a final answer.", value=depth)
        yield _family(
            "ledger_node_outbox_retries", "Transactions that had to be sent anew.", "reason", node.retries.counts()
        )
        yield GaugeMetricFamily(
            "ledger_node_block_number", "Last block in the read model.", value=node.readmodel.block_number()
        )
        yield _family(
            "ledger_node_verifications",
            "Documents of others by own verdict.",
            "verdict",
            node.readmodel.verdicts(node.msp_id),
        )
        yield from _hashing(node.hasher)
        yield _family(
            "ledger_node_hash_worker_documents",
            "Documents hashed for verifier and scrubber.",
            "by",
            node.hashed.counts(),
        )
        yield _family(
            "ledger_node_findings_open", "Findings that are open, by kind.", "kind", node.findings.open_counts()
        )


def _hashing(hasher: ServiceHasher) -> Iterator[GaugeMetricFamily]:
    """What this process hashed, and the hashing service of the machine: is it there, how much waits, how fast it is."""
    own = hasher.status()
    by = {"service": own["service"]["documents"], "own cores": own["local"]["documents"]}
    yield _family("ledger_node_hash_documents", "Documents hashed for this process, by whom.", "by", by)
    found = hasher.service_status()
    yield GaugeMetricFamily("ledger_node_hash_service_up", "Whether the hashing service answers.", value=bool(found))
    if found:
        total = {"documents": found["documents"], "bytes": found["bytes"]}
        yield _family("ledger_node_hash_service_hashed", "Hashed by the service since it began.", "unit", total)
        yield _family("ledger_node_hash_service_waiting", "Waiting or running there.", "unit", found["queue"])
        rate = {name.removesuffix("_per_second"): value for name, value in found["rate"].items()}
        yield _family("ledger_node_hash_service_rate", "Per second, in its last batch.", "unit", rate)
        lost = bool(found["gpu"].get("lost"))
        yield GaugeMetricFamily("ledger_node_hash_service_gpu_lost", "Whether it dropped a GPU for good.", value=lost)


def _family(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _reason(worker: dict[str, Any]) -> str:
    text = f": {worker['text']}" if worker["text"] else ""
    return f"{worker['worker']} is {worker['state']}, silent for {worker['silent_seconds']} s{text}"


def _not_ready(reasons: list[str]) -> Problem:
    text = "; ".join(reasons) or "the node is not ready"
    return Problem(503, "NOT_READY", text, "Look at the node's log.", headers={"Retry-After": "2"}, reasons=reasons)
