"""The node's figures for Prometheus: read anew whenever they are asked for, and nothing of the trade among them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from flask import current_app
from prometheus_client.core import GaugeMetricFamily

from ledger_node.api.context import current_node
from ledger_node.api.ledger_view import LedgerSeen, LedgerView
from ledger_node.hashing.service.client import ServiceHasher
from ledger_node.node import Node
from network import disk
from network.certificates import expiry
from network.errors import NetworkError

OPEN_STATUSES = ("waiting", "sent")


class NodeFigures:
    """Reads the node's figures whenever they are asked for.

    Args:
        view: the ledger's height.
    """

    def __init__(self, view: LedgerView) -> None:
        self._view = view

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app:
            return  # registering asks once, before there is a request
        node = current_node()
        counts = node.outbox.counts()
        yield _family("ledger_node_submissions", "Submissions by status.", "status", counts)
        depth = sum(counts[status] for status in OPEN_STATUSES)
        yield GaugeMetricFamily("ledger_node_outbox_depth", "Commands without a final answer.", value=depth)
        text, oldest = "Age of the oldest command without a final answer.", node.outbox.oldest_seconds()
        yield GaugeMetricFamily("ledger_node_outbox_oldest_seconds", text, value=oldest)
        yield _family(
            "ledger_node_outbox_retries", "Transactions that had to be sent anew.", "reason", node.retries.counts()
        )
        block_number = node.readmodel.block_number()
        yield GaugeMetricFamily("ledger_node_block_number", "Last block in the read model.", value=block_number)
        yield from _ledger(self._view.look(), block_number)
        yield from _machine(node)
        beats = node.heartbeats.of(node.worker_names)
        up = {beat.worker: float(beat.well) for beat in beats}
        yield _family("ledger_node_worker_up", "Whether each worker is well.", "worker", up)
        trouble = {beat.worker: beat.trouble_seconds for beat in beats}
        text = "For how long each worker has had nothing but errors."
        yield _family("ledger_node_worker_trouble_seconds", text, "worker", trouble)
        ages = {
            beat.worker: beat.success_age_seconds + beat.silent_seconds
            for beat in beats
            if beat.success_age_seconds is not None
        }
        text = "How long ago each worker's work on the ledger last went through; it may have had nothing to do."
        yield _family("ledger_node_worker_success_age_seconds", text, "worker", ages)
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


def lag_blocks(seen: LedgerSeen, block_number: int) -> int:
    """How many of the ledger's blocks are not in the read model; 0 when the ledger does not answer."""
    return max(0, (seen.height or 0) - 1 - block_number)


def _ledger(seen: LedgerSeen, block_number: int) -> Iterator[GaugeMetricFamily]:
    """Whether the own peer answers, and how far the read model is behind it; no lag is told when it does not."""
    reached = seen.height is not None
    yield GaugeMetricFamily("ledger_node_peer_up", "Whether the own peer (or the embedded ledger) answers.", reached)
    if reached:
        yield GaugeMetricFamily("ledger_node_peer_height", "Blocks that the own peer has.", value=seen.height or 0)
        lag = lag_blocks(seen, block_number)
        yield GaugeMetricFamily("ledger_node_lag_blocks", "Blocks that the read model lacks.", value=lag)


def _machine(node: Node) -> Iterator[GaugeMetricFamily]:
    """When the node's certificates end, and the room on its disks."""
    settings = node.settings
    own = settings.fabric.certificate if settings.fabric else settings.certificate
    files = {"tls": settings.tls.certificate} | ({"signing": own} if own else {})
    with contextlib.suppress(NetworkError):  # a file that is gone says so where it is used
        ends = {name: expiry(settings.at(path)).timestamp() for name, path in files.items()}
        text = "When a certificate of the node ends, in Unix seconds."
        yield _family("ledger_node_certificate_end_seconds", text, "certificate", ends)
    rooms = {"vault": disk.room(settings.at(settings.vault_dir)), "node": disk.room(settings.directory)}
    free = {name: room.free_bytes for name, room in rooms.items()}
    total = {name: room.total_bytes for name, room in rooms.items()}
    yield _family("ledger_node_disk_free_bytes", "Room left on the disk of each folder.", "folder", free)
    yield _family("ledger_node_disk_size_bytes", "The size of that disk.", "folder", total)


def _hashing(hasher: ServiceHasher) -> Iterator[GaugeMetricFamily]:
    """What this process hashed, and the hashing service of the machine: is it there, how much waits, how fast it is."""
    own = hasher.status()
    by = {"service": own["service"]["documents"], "own cores": own["local"]["documents"]}
    yield _family("ledger_node_hash_documents", "Documents hashed for this process, by whom.", "by", by)
    service = hasher.service_status()
    yield GaugeMetricFamily("ledger_node_hash_service_up", "Whether the hashing service answers.", value=bool(service))
    if service:
        total = {"documents": service["documents"], "bytes": service["bytes"]}
        yield _family("ledger_node_hash_service_hashed", "Hashed by the service since it began.", "unit", total)
        yield _family("ledger_node_hash_service_waiting", "Waiting or running there.", "unit", service["queue"])
        rate = {name.removesuffix("_per_second"): value for name, value in service["rate"].items()}
        yield _family("ledger_node_hash_service_rate", "Per second, in its last batch.", "unit", rate)
        lost = bool(service["gpu"].get("lost"))
        yield GaugeMetricFamily("ledger_node_hash_service_gpu_lost", "Whether it dropped a GPU for good.", value=lost)


def _family(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
