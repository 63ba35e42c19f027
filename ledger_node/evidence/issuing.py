"""What a node certifies: a document of its own, or an invoice with all that its story is told from."""

from __future__ import annotations

import threading

from ledger_node.documents.index import OwnDocument
from ledger_node.errors import BadRequest, NotFound
from ledger_node.evidence.bundle import BlockChoice, Certified, Issuer, make_bundle
from ledger_node.evidence.checking import checked
from ledger_node.evidence.keys import own_key, public_bytes
from ledger_node.evidence.trust import trust_file
from ledger_node.ledger.interface import LedgerError, Witness
from ledger_node.node import Node, utc_now
from ledger_node.verify.format import Subject

_AT_ONCE = threading.BoundedSemaphore(2)  # a bundle may take hundreds of megabytes while it is made and checked


class NoWitnessError(LedgerError):
    """Nobody signs what the node's ledger holds, so there is nothing to show to others."""

    exit_code = 2


def document_certificate(node: Node, document_id: str, blocks: BlockChoice) -> bytes:
    """The bundle of an own document, with what was attested of it.

    Raises: NotFound; BadRequest when another organisation submitted it; LedgerError.
    """
    writes = node.readmodel.document_writes(document_id)
    if not writes:
        raise NotFound(f"there is no document {document_id}", "Look at: ledger-node document list")
    own = node.documents.get(document_id)
    if own is None:
        text = f"another organisation submitted the document {document_id}: only it has the salt that opens it"
        raise BadRequest(text, "Ask it for its certificate.")
    return _bundle(node, Certified(Subject(kind="document", id=document_id), writes, [own]), blocks)


def invoice_certificate(node: Node, invoice_id: str, blocks: BlockChoice) -> bytes:
    """The bundle of an invoice: its records and money, its documents and shipments and what was said of them.

    Opened are the documents that this organisation submitted.

    Raises: NotFound; LedgerError.
    """
    writes, invoice = node.readmodel.invoice_writes(invoice_id), node.readmodel.invoice(invoice_id)
    if invoice is None:
        raise NotFound(f"there is no invoice {invoice_id}", "Look at: ledger-node invoice list")
    named = [node.documents.get(each) for each in (*invoice["document_ids"], *invoice["proof_ids"])]
    own: list[OwnDocument] = [each for each in named if each is not None]
    return _bundle(node, Certified(Subject(kind="invoice", id=invoice_id), writes, own), blocks)


def channel_trust(node: Node) -> bytes:
    """The trust file, with this organisation's own post-quantum key. Raises: LedgerError, ConfigError."""
    witness = _witness(node)
    key = own_key(node.settings.at(node.settings.evidence_key_file))
    return trust_file(witness, node.msp_id, {node.msp_id: public_bytes(key)}, utc_now())


def _bundle(node: Node, certified: Certified, blocks: BlockChoice) -> bytes:
    witness = _witness(node)
    told = witness.trust()
    issuer = Issuer(
        node.msp_id,
        told.channel,
        witness.chaincode,
        told.genesis.hex(),
        own_key(node.settings.at(node.settings.evidence_key_file)),
    )
    with _AT_ONCE:
        bundle = make_bundle(certified, issuer, witness, blocks, utc_now())
        own = trust_file(witness, node.msp_id, {node.msp_id: public_bytes(issuer.key)}, utc_now())
        return checked(bundle, own)


def _witness(node: Node) -> Witness:
    if node.witness is None:
        text = "this ledger is one file: nobody but its owner vouches for it, so there is no evidence to show to others"
        raise NoWitnessError(text, remedy="Evidence needs a Fabric network: see docs/how-to/run-a-network.md.")
    return node.witness
