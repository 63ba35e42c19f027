"""Four real nodes in one process on one embedded ledger file, with their peer doors on loopback, over mutual TLS."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog

from ledger_node.api.app import create_peer_app
from ledger_node.api.peer import tls_context
from ledger_node.background import Background
from ledger_node.config import Limits, Settings, TlsSettings, load_settings, save_settings
from ledger_node.demo import samples
from ledger_node.documents.index import OwnDocument
from ledger_node.documents.vault import StoredDocument, Vault
from ledger_node.door.application import CLIENT_CERTIFICATE
from ledger_node.formats import InvoiceFacts, read_facts
from ledger_node.formats.fingerprints import account, create_key, fingerprints, identity, order, reference
from ledger_node.formats.ledger_facts import ledger_facts
from ledger_node.hashing import SALT_BYTES
from ledger_node.node import Node, open_node
from ledger_node.outbox.store import Submission, SubmissionStatus
from network.identities import ensure_identities
from network.topology import demo_topology

# Workers in threads of a test must not write into what a command under test prints.
structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())

ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")
SUPPLIER, BUYER, FINANCIER, CARRIER = (f"{name.capitalize()}MSP" for name in ORGANISATIONS)
ROLES = {SUPPLIER: ["supplier"], BUYER: ["buyer"], FINANCIER: ["financier", "issuer"], CARRIER: ["carrier"]}
NAMED = {SUPPLIER: samples.SUPPLIER.vat_id, BUYER: samples.BUYER.vat_id, FINANCIER: "BANK1", CARRIER: "CARRIER1"}
FACE_MINOR = 1_000_000
WAIT_SECONDS = 120.0


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {CLIENT_CERTIFICATE: self.connection.getpeercert(True)}

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: attacks in tests break connections."""


def eventually(check: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """The first true answer of `check`."""
    deadline, idle = time.monotonic() + seconds, threading.Event()
    while not (found := check()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        idle.wait(0.02)
    return found


def organisations(home: Path) -> None:
    """Certificates of the four organisations and the consortium's fingerprint key."""
    ensure_identities(demo_topology(home, 20000))
    create_key(home / "fingerprint.key")


def write_settings(home: Path, authority: Path, name: str, **changes: Any) -> Settings:
    """Settings of one node in `home/<name>`; `authority` was filled by `organisations`."""
    topology = demo_topology(authority, 20000)
    folders = {each.msp_id: each_folders for each, each_folders in topology.all_folders()}
    own, msp_id = topology.folders(name), topology.organisation(name).msp_id
    values: dict[str, Any] = {
        "organisation": name,
        "msp_id": msp_id,
        "user_port": 1,
        "peer_port": 2,
        "ledger": "embedded",
        "certificate": own.user.certificate,
        "embedded_database": home / "ledger.db",
        "fingerprint_key_file": authority / "fingerprint.key",
        "tls": TlsSettings(
            certificate=own.node_tls.certificate,
            private_key=own.node_tls.key,
            roots={each: each_folders.authority / "tlsca.crt" for each, each_folders in folders.items()},
        ),
        "rules": "off",  # of the tests that are about them: each node's process of its own would take seconds
        "limits": Limits(attest_retry_seconds=0.1, attest_tries_max=3, fetch_seconds_max=5),
    }
    save_settings(Settings(**(values | changes)), home / name)
    return load_settings(home / name)


def kept(vault: Vault, content: bytes) -> StoredDocument:
    """What an upload of these bytes leaves in the vault."""
    with vault.spool() as spooled:
        spooled.write(content)
        return vault.keep(spooled)


def new_document(stored: StoredDocument, *, media_type: str, kind: str, filename: str) -> OwnDocument:
    """What an upload writes down of a document that it has just stored."""
    return OwnDocument(
        document_id=secrets.token_hex(16),
        digest=stored.digest,
        salt=secrets.token_bytes(SALT_BYTES),
        size_bytes=stored.size_bytes,
        media_type=media_type,
        kind=kind,
        filename=filename,
    )


def _shows_day(node: Node, date: str) -> bool:
    return node.readmodel.day() >= date


def _record(node: Node, msp_id: str) -> dict[str, Any]:
    found = node.readmodel.party(msp_id)
    assert found is not None
    return found


class Consortium:
    """Four nodes; `nodes` are open, `serve` opens their doors, `start` their workers."""

    def __init__(self, home: Path, authority: Path, **changes: Any) -> None:
        self.settings = {name: write_settings(home, authority, name, **changes) for name in ORGANISATIONS}
        self.nodes = {name: open_node(settings) for name, settings in self.settings.items()}
        self.stops: dict[str, threading.Event] = {}
        self.running: dict[str, Background] = {}
        self.servers: dict[str, WSGIServer] = {}

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def serve(self, name: str, port: int = 0) -> None:
        """Open one node's peer door, on a free port unless one is given."""
        server = make_server("127.0.0.1", port, create_peer_app(self.nodes[name]), _Server, _Handler)
        context = tls_context(self.settings[name])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.servers[name] = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def start(self, *names: str) -> None:
        """Start the workers of some nodes, or of all."""
        for name in names or ORGANISATIONS:
            self.stops[name] = threading.Event()
            self.running[name] = Background(self.nodes[name], self.stops[name])

    def stop(self, name: str) -> None:
        """Stop one node's workers and open it anew, without them."""
        self.running.pop(name).close()
        self.nodes[name].close()
        self.nodes[name] = open_node(self.settings[name])

    def shut(self, name: str) -> int:
        """Close one node's peer door and give its port."""
        server = self.servers.pop(name)
        server.shutdown()
        server.server_close()
        return int(server.server_address[1])

    def close(self) -> None:
        """End everything."""
        for stop in self.stops.values():
            stop.set()
        for background in self.running.values():
            background.close()
        for name in tuple(self.servers):
            self.shut(name)
        for node in self.nodes.values():
            node.close()

    def peer_url(self, name: str) -> str:
        server = self.servers.get(name)
        return f"https://localhost:{server.server_address[1] if server else 1}"

    # What people do

    def do(self, name: str, type_: str, **body: Any) -> Submission:
        """One command of one organisation, applied."""
        submission = self.ask(name, type_, **body)
        assert submission.status is SubmissionStatus.APPLIED, submission
        return submission

    def ask(self, name: str, type_: str, **body: Any) -> Submission:
        """One command of one organisation, whatever becomes of it."""
        outbox = self.nodes[name].outbox
        submission = outbox.wait(outbox.put(type_, body).id, WAIT_SECONDS)
        assert submission.final, submission
        return submission

    def found(self) -> None:
        """Found the consortium and wait until all nodes show an open day."""
        key = self["supplier"].fingerprint_key
        parties = [
            {
                "msp_id": msp_id,
                "name": name.capitalize(),
                "roles": ROLES[msp_id],
                "group_id": f"group-{name}",
                "peer_url": self.peer_url(name),
                "identity_fingerprint": identity(key, NAMED[msp_id]),
                "payout_fingerprint": account(key, samples.SUPPLIER_IBAN if name == "supplier" else f"IBAN{msp_id}"),
                "issue_limits": {"EUR": 10**9} if name == "financier" else {},
            }
            for name, msp_id in zip(ORGANISATIONS, (SUPPLIER, BUYER, FINANCIER, CARRIER), strict=True)
        ]
        proposed = self.do("supplier", "FoundConsortium", parties=parties)
        assert proposed.result is not None
        for name in ORGANISATIONS:
            self.do(name, "ConfirmFounding", digest=proposed.result["digest"])
        today = dt.datetime.now(dt.UTC).date().isoformat()
        for node in self.nodes.values():
            eventually(partial(_shows_day, node, today), "the day opens by itself")

    def upload(self, name: str, kind: str, media_type: str, content: bytes, entitled: list[str]) -> str:
        """Store and register a document."""
        node = self.nodes[name]
        document = new_document(kept(node.vault, content), media_type=media_type, kind=kind, filename="f")
        body = {
            "document_id": document.document_id,
            "kind": kind,
            "media_type": media_type,
            "size_bytes": document.size_bytes,
            "algorithm": "SHA-256",
            "commitment": document.commitment,
            "entitled": entitled,
        }
        submission = node.outbox.put("RegisterDocument", body, beside=node.documents.insertion(document))
        assert node.outbox.wait(submission.id, WAIT_SECONDS).status is SubmissionStatus.APPLIED
        return document.document_id


class Trade:
    """One invoice's papers and ids."""

    def __init__(self, number: str = "INV-1") -> None:
        self.today = dt.datetime.now(dt.UTC).date()
        self.due = self.today + dt.timedelta(days=60)
        self.facility_id, self.shipment_id, self.invoice_id, self.event_id = (secrets.token_hex(16) for _ in range(4))
        self.shipment_reference = f"SHIP {number}"
        self.invoice = samples.invoice_ubl(
            number,
            samples.SUPPLIER,
            samples.BUYER,
            self.today,
            self.due,
            "EUR",
            FACE_MINOR,
            "PO 1",
            self.shipment_reference,
            samples.SUPPLIER_IBAN,
        )
        self.proof = samples.proof_of_delivery_pdf(
            self.shipment_reference, "PO 1", samples.SUPPLIER, samples.BUYER, self.today, 3
        )
        self.document_id = self.proof_id = ""

    def open_facility(self, world: Consortium) -> None:
        """The financier takes the supplier on and offers to buy."""
        world.do(
            "financier",
            "AcceptSupplier",
            supplier=SUPPLIER,
            agreement_commitment="a" * 64,
            screened_until=self.due.isoformat(),
            group_id="group-supplier",
        )
        world.do(
            "financier",
            "OpenFacility",
            facility_id=self.facility_id,
            buyer=BUYER,
            suppliers=[SUPPLIER],
            deposit=f"EUR@{FINANCIER}",
            limit_minor=10**8,
            supplier_limit_minor=10**8,
            rate_bps=500,
            day_count="ACT/360",
            fee_minor=0,
            tenor_days_min=1,
            tenor_days_max=120,
            grace_days=0,
            holidays=[],
            mode="automatic",
            recourse="none",
            attestations_min=2,
            both_delivery_minor=0,
            overdue_days_max=30,
            ack_days=10,
            insured_until="",
        )

    def upload(self, world: Consortium) -> None:
        """The supplier's papers."""
        self.document_id = world.upload("supplier", "invoice", "application/xml", self.invoice, [BUYER, FINANCIER])
        self.proof_id = world.upload(
            "supplier", "proof_of_delivery", "application/pdf", self.proof, [BUYER, FINANCIER, CARRIER]
        )

    def ship(self, world: Consortium) -> None:
        """The carrier delivers."""
        key = world["supplier"].fingerprint_key
        number = reference(key, SUPPLIER, BUYER, self.shipment_reference)
        world.do(
            "supplier",
            "RegisterShipment",
            shipment_id=self.shipment_id,
            buyer=BUYER,
            carrier=CARRIER,
            reference_fingerprint=number,
        )
        world.do("buyer", "AcceptCarrier", shipment_id=self.shipment_id)
        world.do(
            "carrier",
            "RecordShipmentEvent",
            shipment_id=self.shipment_id,
            event_id=self.event_id,
            type="delivered",
            occurred_on=self.today.isoformat(),
            partial=False,
            document_id="",
        )

    def register(self, world: Consortium) -> None:
        """The supplier registers the invoice and asks for money."""
        node = world["supplier"]
        own = node.documents.get(self.document_id)
        assert own is not None
        facts = read_facts("invoice", own.media_type, node.vault.path(own.digest))
        assert isinstance(facts, InvoiceFacts)
        world.do(
            "supplier",
            "RegisterInvoice",
            invoice_id=self.invoice_id,
            buyer=BUYER,
            document_ids=[self.document_id],
            proof_ids=[self.proof_id],
            shipment_ids=[self.shipment_id],
            facts=ledger_facts(node.fingerprint_key, facts, _record(node, SUPPLIER), _record(node, BUYER)),
            fingerprints=fingerprints(node.fingerprint_key, facts, SUPPLIER, BUYER, node.fingerprint_key),
            epoch=1,
        )
        world.do(
            "supplier",
            "RequestEarlyPayment",
            invoice_id=self.invoice_id,
            facility_ids=[self.facility_id],
            net_min_minor=1,
            valid_until=self.due.isoformat(),
        )

    def approve(self, world: Consortium) -> None:
        """The buyer undertakes to pay."""
        world.do(
            "buyer",
            "ApproveInvoice",
            invoice_id=self.invoice_id,
            amount_minor=FACE_MINOR,
            currency="EUR",
            due_date=self.due.isoformat(),
            buyer_reference=order(world["buyer"].fingerprint_key, BUYER, "PO 1"),
        )

    def play(self, world: Consortium) -> None:
        """All of it, in the order of the demo."""
        for step in (self.open_facility, self.upload, self.ship, self.register, self.approve):
            step(world)

    def paid_on(self, world: Consortium, name: str) -> bool:
        """Whether a node shows the early payment."""
        invoice = world[name].readmodel.invoice(self.invoice_id)
        return invoice is not None and invoice["status"] == "early-paid"
