"""The composition root: settings in, one node out. The only place that chooses a ledger and wires the rooms.

`open_node` opens databases and files, starts no thread and no connection, so it may be called before a server forks.
What runs over the rooms is `background`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ledger_node.agreement import AgreementKeys
from ledger_node.config import Settings
from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.documents.findings import Findings
from ledger_node.documents.index import Documents
from ledger_node.documents.scrub import Scrubber, ScrubLimits, Scrubs
from ledger_node.documents.vault import Vault
from ledger_node.errors import ConfigError
from ledger_node.formats.fingerprints import load_key
from ledger_node.hashing.hasher import open_cpu
from ledger_node.hashing.service.client import ServiceHasher
from ledger_node.hashing.service.wire import default_socket
from ledger_node.ledger.embedded import CHANNEL, EmbeddedLedger
from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import Ledger, Witness
from ledger_node.migrations import migrate_state
from ledger_node.notifications.events import EventLog
from ledger_node.notifications.responses import Responses
from ledger_node.notifications.store import Webhooks
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.store import Outbox, OutboxLimits
from ledger_node.outbox.worklist import WorkList
from ledger_node.people.audit import AuditLog
from ledger_node.people.guesses import Guesses
from ledger_node.people.key_requests import KeyRequests
from ledger_node.people.logins import Logins
from ledger_node.people.names import Names
from ledger_node.people.passkeys import Passkeys
from ledger_node.people.persons import Persons
from ledger_node.people.reasons import Reasons
from ledger_node.people.record_ids import RecordIds
from ledger_node.people.sessions import Sessions
from ledger_node.people.tokens import Tokens
from ledger_node.readmodel import SCHEMA_VERSION as READMODEL_VERSION
from ledger_node.readmodel import ReadModel, Record
from ledger_node.rules import Bounds, Checker, default_folder
from ledger_node.verification.exchange import Exchange
from ledger_node.verification.goods import GoodsMatcher
from ledger_node.verification.reading import Reader
from ledger_node.workers.counters import Counters
from ledger_node.workers.heartbeats import Heartbeats
from ledger_node.workers.running import worker_names
from network.folders import MspFolder

RETRIES_FILE = "outbox-retries.json"
HASHED_FILE = "hashed.json"
READ_FOLDER = "read"


@dataclass
class Node:
    """One organisation's node: its rooms, by name."""

    settings: Settings
    ledger: Ledger
    state: Database
    vault: Vault
    documents: Documents
    tokens: Tokens
    logins: Logins
    passkeys: Passkeys
    key_requests: KeyRequests
    sessions: Sessions
    guesses: Guesses
    audit: AuditLog
    record_ids: RecordIds
    outbox: Outbox
    work_list: WorkList
    persons: Persons
    reasons: Reasons
    names: Names
    retries: Counters
    hashed: Counters
    contention: Contention
    findings: Findings
    scrubber: Scrubber
    readmodel_database: Database
    readmodel: ReadModel
    heartbeats: Heartbeats
    exchange: Exchange
    reader: Reader
    hasher: ServiceHasher
    checker: Checker | None
    witness: Witness | None
    matcher: GoodsMatcher
    agreement: AgreementKeys
    webhooks: Webhooks
    responses: Responses
    events: EventLog
    fingerprint_key: bytes = field(repr=False)

    @property
    def msp_id(self) -> str:
        """Who this node is on the ledger."""
        return self.settings.msp_id

    @property
    def worker_names(self) -> set[str]:
        """Who is to run over it."""
        settings = self.settings
        respond = settings.responses.folder is not None
        return worker_names(scrub=settings.scrub, open_days=settings.open_days, respond=respond)

    @property
    def channel(self) -> str:
        """The name of the ledger's channel."""
        return _channel(self.settings)

    @property
    def webhook_roots(self) -> Path | None:
        """Whose certificates receivers may have, beside those that the system trusts."""
        roots = self.settings.webhooks.tls_roots
        return None if roots is None else self.settings.at(roots)

    @property
    def clock(self) -> dt.datetime:
        """Now, UTC."""
        return utc_now()

    @property
    def authority(self) -> Path:
        """The certificate of the authority that issues the identities of this organisation's people."""
        fabric = self.settings.fabric
        own = fabric.certificate if fabric is not None else self.settings.certificate
        assert own is not None  # Settings has checked it
        return MspFolder(self.settings.at(own).parent.parent).ca

    def health(self) -> dict[str, Any]:
        """How the node is, for health pages: `{ok, block_number, day, outbox: {status: n}, workers: [...]}`."""
        beats = self.heartbeats.of(self.worker_names)
        return {
            "ok": all(beat.well for beat in beats),
            "msp_id": self.msp_id,
            "ledger": self.settings.ledger,
            "block_number": self.readmodel.block_number(),
            "day": self.readmodel.day(),
            "outbox": self.outbox.counts(),
            "workers": [beat.as_json() for beat in beats],
        }

    def close(self) -> None:
        """Release everything; closing twice is fine. Whoever runs workers over it ends them before."""
        self.hasher.close()
        if self.checker is not None:
            self.checker.close()
        self.ledger.close()
        self.state.close()
        self.readmodel_database.close()


def open_node(settings: Settings) -> Node:
    """Open a node: its databases (made when missing), its vault, its keys. Starts no thread and no connection.

    Args:
        settings: as `load_settings` gives them.

    Raises: ConfigError naming what is missing or does not fit.
    """
    key = load_key(settings.at(settings.fingerprint_key_file))
    state = Database(settings.database_url(settings.state_database))
    readmodel_database = Database(settings.database_url(settings.readmodel_database))
    migrate_state(state)
    readmodel_database.migrate(ReadModelTable.metadata, ReadModelSchema, READMODEL_VERSION)
    vault = Vault(settings.at(settings.vault_dir), settings.limits.document_size_bytes_max)
    documents, readmodel, findings = Documents(state), ReadModel(readmodel_database), Findings(state, utc_now)
    exchange, ledger = _exchange(settings), _ledger(settings)
    reader = _reader(settings, exchange, readmodel)
    return Node(
        settings=settings,
        ledger=ledger,
        state=state,
        vault=vault,
        documents=documents,
        tokens=Tokens(state, utc_now),
        logins=Logins(state, utc_now),
        passkeys=Passkeys(state, utc_now),
        key_requests=KeyRequests(state, utc_now),
        sessions=Sessions(state, utc_now, settings.web.idle_minutes, settings.web.session_hours),
        guesses=Guesses(state, utc_now),
        audit=AuditLog(settings.at(settings.audit_file), utc_now),
        record_ids=RecordIds(state),
        outbox=_outbox(settings, state),
        work_list=WorkList(state),
        persons=Persons(state),
        reasons=Reasons(state),
        names=Names(state),
        retries=Counters(settings.directory / RETRIES_FILE),
        hashed=Counters(settings.directory / HASHED_FILE),
        contention=Contention(settings.msp_id),
        findings=findings,
        scrubber=_scrubber(settings, state, vault, documents, readmodel, findings),
        readmodel_database=readmodel_database,
        readmodel=readmodel,
        heartbeats=Heartbeats(state, utc_now),
        exchange=exchange,
        reader=reader,
        hasher=_hasher(settings),
        checker=_checker(settings),
        witness=ledger.witness() if isinstance(ledger, FabricLedger) else None,
        matcher=GoodsMatcher(settings.msp_id, readmodel, partial(_kept, documents, vault, reader)),
        agreement=AgreementKeys(settings.msp_id, settings.at(settings.agreement_key_file), key),
        webhooks=Webhooks(state, utc_now),
        responses=Responses(state, utc_now),
        events=EventLog(readmodel_database, _channel(settings)),
        fingerprint_key=key,
    )


def utc_now() -> dt.datetime:
    """The clock of the node."""
    return dt.datetime.now(dt.UTC)


def _channel(settings: Settings) -> str:
    return settings.fabric.channel if settings.fabric is not None and settings.ledger == "fabric" else CHANNEL


def _exchange(settings: Settings) -> Exchange:
    return Exchange(
        settings.at(settings.tls.certificate),
        settings.at(settings.tls.private_key),
        {msp_id: settings.at(path) for msp_id, path in settings.tls.roots.items()},
        settings.limits.fetch_seconds_max,
    )


def _outbox(settings: Settings, state: Database) -> Outbox:
    limits = settings.limits
    waiting = OutboxLimits(limits.outbox_commands_max, limits.outbox_bytes_max)
    return Outbox(state, utc_now, limits.batch_bytes_max - 1000, waiting)


def _reader(settings: Settings, exchange: Exchange, readmodel: ReadModel) -> Reader:
    limits = settings.limits
    folder = settings.directory / READ_FOLDER
    return Reader(exchange.fetch, readmodel, folder, limits.document_size_bytes_max, limits.read_bytes_max)


def _scrubber(
    settings: Settings, state: Database, vault: Vault, documents: Documents, readmodel: ReadModel, findings: Findings
) -> Scrubber:
    limits = settings.limits
    return Scrubber(
        vault=vault,
        documents=documents,
        readmodel=readmodel,
        findings=findings,
        scrubs=Scrubs(state),
        now=lambda: utc_now().timestamp(),
        folder=settings.directory,
        limits=ScrubLimits(limits.scrub_pass_bytes_max, limits.scrub_pass_pause_seconds, limits.scrub_round_seconds),
    )


def _hasher(settings: Settings) -> ServiceHasher:
    """The hashing service of this machine, whenever it is there, and otherwise this process's own cores."""
    path = settings.at(settings.hash_socket) if settings.hash_socket else default_socket()
    return ServiceHasher(path if settings.hash_backend == "auto" else None, open_cpu(settings.hash_backend))


def _kept(documents: Documents, vault: Vault, reader: Reader, document: Record) -> BinaryIO | None:
    """The content of a document that lies here: an own one, or one that was verified."""
    own = documents.get(document["document_id"])
    return reader.kept(document) if own is None else vault.open(own.digest)


def _checker(settings: Settings) -> Checker | None:
    """What checks invoices by public rules; it starts its process when it is first asked."""
    if settings.rules == "off":
        return None
    folder = settings.at(settings.rules_folder) if settings.rules_folder else default_folder()
    return Checker(folder, Bounds(document_bytes_max=settings.limits.document_size_bytes_max))


def _ledger(settings: Settings) -> Ledger:
    if settings.fabric is not None and settings.ledger == "fabric":
        fabric = settings.fabric
        return FabricLedger(
            endpoint=fabric.peer_endpoint,
            tls_roots=settings.at(fabric.tls_root),
            msp_id=settings.msp_id,
            certificate=settings.at(fabric.certificate),
            key=settings.at(fabric.private_key),
            channel=fabric.channel,
            chaincode=fabric.chaincode,
        )
    assert settings.embedded_database is not None and settings.certificate is not None  # Settings has checked it
    path = settings.at(settings.certificate)
    try:
        certificate = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error}", "Look at it in node.toml.") from error
    return EmbeddedLedger(settings.at(settings.embedded_database), settings.msp_id, certificate, utc_now)
