"""What runs over a node's rooms, once per node: outbox sender, projector, verifier, scrubber, day opener, webhooks.

`Background` is all of them in threads of this process, under the node's lock, without which nobody may run any. Web
processes never start it. A room's own work is in the room; here it is only given what it needs.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import structlog

from chaincode.records import keys
from ledger_node.errors import ConfigError
from ledger_node.hashing import Hashed, Source, UnreadableError
from ledger_node.hashing.past_cache import past_cache
from ledger_node.node import Node, utc_now
from ledger_node.notifications.responder import Responder
from ledger_node.notifications.sender import WebhookSender
from ledger_node.outbox.sender import OutboxSender, SendLimits
from ledger_node.readmodel import Record
from ledger_node.readmodel.projector import Projector
from ledger_node.verification.attempts import Attempts
from ledger_node.verification.due import DueDocuments
from ledger_node.verification.fetcher import Fetched, Fetcher
from ledger_node.verification.naming import Namer
from ledger_node.verification.recompute import Recomputed, recompute
from ledger_node.verification.revisits import Revisits
from ledger_node.verification.verdicts import Verdicts
from ledger_node.verification.verifier import Batches, HashBatch, Verifier
from ledger_node.workers.day_opener import DayOpener
from ledger_node.workers.outcomes import Outcomes, Told
from ledger_node.workers.running import (
    DAY_OPENER,
    NAMER,
    OUTBOX,
    PROJECTOR,
    RESPONDER,
    SCRUBBER,
    VERIFIER,
    WEBHOOKS,
    Run,
    Workers,
    WorkersLock,
)

FETCHED_FOLDER = "fetched"
NAMED = "documents-named"
"""A file that says that no document is left which was read before there were names."""
UPLOAD_SECONDS_MAX = 24 * 3600.0

log = structlog.get_logger(__name__)


def _unheard(_error: str) -> None:
    """Where nobody wants to hear."""


class Background:
    """The workers of one node, running in threads that end soon after `stop` is set.

    Args:
        node: opened; it is closed after this.
        stop: ends the workers.

    Raises: ConfigError when another process runs the workers of this node.
    """

    def __init__(self, node: Node, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = WorkersLock(node.settings.directory)
        try:
            node.vault.clear_incoming(UPLOAD_SECONDS_MAX)
            outcomes = Outcomes()
            self._workers = Workers(_runs(node, outcomes), node.heartbeats, stop, outcomes)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Stop the workers, wait for them and give the lock back; closing twice is fine."""
        self._stop.set()
        self._workers.join()
        self._lock.release()


def projector_of(node: Node, documents: threading.Event | None = None, told: Told = _unheard) -> Projector:
    """The writer of the node's read model; only for whoever holds the node's lock.

    Args:
        documents: set when the read model has new documents.
        told: hears how it goes.
    """
    writes_max = node.settings.limits.projection_writes_max
    return Projector(node.readmodel_database, node.ledger, writes_max, node.contention.saw, documents, told)


def sender_of(node: Node, told: Told = _unheard) -> OutboxSender:
    """The sender of what waits in the node's outbox; only for whoever holds the node's lock.

    Args:
        told: hears how it goes.
    """
    limits = node.settings.limits
    send_limits = SendLimits(
        batch_commands_max=limits.batch_commands_max,
        batch_bytes_max=limits.batch_bytes_max,
        status_seconds_max=limits.status_seconds_max,
        endorse_tries_max=limits.endorse_tries_max,
        batch_age_seconds_max=limits.batch_age_seconds_max,
        transactions_in_flight_max=limits.transactions_in_flight_max,
    )
    return OutboxSender(node.outbox, node.state, node.ledger, send_limits, node.contention, node.retries.count, told)


def _runs(node: Node, outcomes: Outcomes) -> dict[str, Run]:
    documents = threading.Event()
    hash_batch = partial(_hash_counted, node)
    runs: dict[str, Run] = {
        OUTBOX: sender_of(node, outcomes.teller(OUTBOX)).run,
        PROJECTOR: projector_of(node, documents, outcomes.teller(PROJECTOR)).run,
        VERIFIER: _verifier(node, hash_batch, documents).run,
        NAMER: namer_of(node).run,
        WEBHOOKS: webhook_sender_of(node).run,
    }
    if node.settings.scrub:
        hash_files = past_cache(hash_batch)
        runs[SCRUBBER] = lambda stop: node.scrubber.run(hash_files, stop)
    if node.settings.open_days:
        runs[DAY_OPENER] = DayOpener(
            node.msp_id, node.readmodel, node.readmodel_database.changes, node.outbox.put, utc_now
        ).run
    if node.settings.responses.folder is not None:
        runs[RESPONDER] = responder_of(node, node.settings.responses.folder).run
    return runs


def responder_of(node: Node, folder: Path) -> Responder:
    """What answers invoices by itself; only for whoever holds the node's lock."""

    def opened(document: Record) -> BinaryIO:
        own = node.documents.get(document["document_id"])
        return node.reader.open(document) if own is None else node.vault.open(own.digest)

    rooms, sender = (node.responses, node.readmodel, node.readmodel_database), node.settings.responses.sender
    return Responder(node.msp_id, *rooms, opened, node.ledger.height, node.settings.at(folder), sender)


def webhook_sender_of(node: Node) -> WebhookSender:
    """What tells the node's receivers what happened; only for whoever holds the node's lock."""
    settings = node.settings.webhooks
    databases = node.state, node.readmodel_database
    return WebhookSender(node.webhooks, node.events, settings, node.webhook_roots, node.msp_id, databases)


def namer_of(node: Node) -> Namer:
    """What names the documents that were read before names were kept."""

    def unused(_supplier: Record, _buyer: Record, _issued: str) -> None:
        """Names need no fingerprint of an amount."""

    def read(document: Record, path: Path, file_name: str) -> Recomputed:
        return recompute(node.fingerprint_key, node.readmodel.parties(), document, path, unused, file_name)

    rooms = node.readmodel, node.documents, node.vault, node.names, node.state
    return Namer(node.msp_id, *rooms, node.reader.open, read, node.settings.directory / NAMED)


def reading_of(node: Node) -> Callable[[Record, Path, str, bool], Recomputed]:
    """What reads a document that others registered.

    The ledger's day is asked before its parties: so these have every key that counts for what is settled by that day,
    however quickly the read model catches up meanwhile.
    """

    def read(document: Record, path: Path, file_name: str, patient: bool) -> Recomputed:
        key_of = partial(amount_key, node.readmodel.day())
        parties, matched = node.readmodel.parties(), node.matcher.attested
        return recompute(
            node.fingerprint_key, parties, document, path, key_of, file_name, node.checker, matched, patient
        )

    def amount_key(day: str, supplier: Record, buyer: Record, issued: str) -> bytes | None:
        try:
            return node.agreement.amount_key(supplier, buyer, issued, day)
        except ConfigError as error:  # the invoice waits for an amount that this node attests later
            log.warning("an amount has no fingerprint", supplier=supplier["msp_id"], reason=error.text)
            return None

    return read


def _verifier(node: Node, hash_batch: HashBatch, documents: threading.Event) -> Verifier:
    limits = node.settings.limits
    attempts = Attempts(node.state, limits.attest_retry_seconds)
    folder = node.settings.directory / FETCHED_FOLDER

    def keep(fetched: Fetched) -> None:
        if fetched.document["kind"] == "transport_events":
            try:
                node.reader.keep(fetched.document, fetched.given.salt, fetched.path)
            except OSError as error:  # it is fetched again when it is to be matched
                log.warning("a proof could not be kept", document_id=fetched.document_id, reason=str(error))

    def said_before(document_id: str) -> Record | None:
        return node.readmodel.record(keys.attestation(document_id, node.msp_id))

    def has_rules() -> bool:
        return node.checker is not None and not node.checker.reason()

    def is_of_own_group(submitter: str) -> bool:
        own, other = (node.readmodel.party(each) for each in (node.msp_id, submitter))
        return own is not None and other is not None and own["group_id"] == other["group_id"]

    revisits = Revisits(node.msp_id, node.readmodel, node.matcher, has_rules)
    return Verifier(
        DueDocuments(node.msp_id, node.readmodel, node.outbox.get, attempts, revisits),
        Fetcher(node.exchange.fetch, node.readmodel, folder, limits.document_size_bytes_max),
        Verdicts(
            node.msp_id,
            node.outbox,
            attempts,
            node.findings,
            node.names,
            reading_of(node),
            limits.attest_tries_max,
            keep,
            said_before,
            is_of_own_group,
        ),
        Batches(hash_batch, limits.verify_batch_documents_max, limits.verify_batch_bytes_max),
        documents,
        node.readmodel_database.changes,
    )


def _hash_counted(node: Node, sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
    """As the node's hasher answers; counted for the metrics, which another process shows."""
    answers = node.hasher.hash_batch(sources)
    served = Counter(answer.backend.startswith("service:") for answer in answers if isinstance(answer, Hashed))
    for by_service, documents in served.items():
        node.hashed.count("service" if by_service else "own cores", documents)
    return answers
