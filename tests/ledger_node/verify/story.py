"""A document and its story as a bundle: registered by the supplier, attested by buyer and financier. True throughout.

An attack changes one thing of it and signs the bundle again, as an issuer that lies would.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forge import CHAINCODE, CHANNEL, JSON, NAMES, NOW, Consortium, Person, canonical, sealed, unb64

DOCUMENT = "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"
FILE = b"an invoice of 100.00 EUR"
SALT = bytes(range(32))
DIGEST = hashlib.sha256(FILE).hexdigest()
COMMITMENT = hashlib.sha256(b"\0" + SALT + bytes.fromhex(DIGEST)).hexdigest()
RECORD = {"document_id": DOCUMENT, "submitter": "SupplierMSP", "commitment": COMMITMENT, "status": "current"}


@dataclass
class Story:
    """The parts, to be changed before they are sealed."""

    consortium: Consortium
    payload: JSON
    trust: JSON

    def bundle(self) -> bytes:
        """The bundle's file, signed again as it stands."""
        return sealed(self.payload, self.consortium.of["SupplierMSP"].client, self.consortium.post_quantum)

    def copy(self) -> Story:
        return Story(self.consortium, copy.deepcopy(self.payload), copy.deepcopy(self.trust))


def writes() -> list[tuple[str, JSON]]:
    """Who writes what, in order: one a block, from block 5 on."""
    attested = [
        (name, {"document_id": DOCUMENT, "party": name, "verdict": "verified"}) for name in ("BuyerMSP", "FinancierMSP")
    ]
    documents = [("SupplierMSP", {f"document/{DOCUMENT}": RECORD})]
    return documents + [(name, {f"attestation/{DOCUMENT}/{name}": value}) for name, value in attested]


def tell(
    consortium: Consortium,
    *,
    senders: dict[str, Person] | None = None,
    endorsers: Sequence[Person] | None = None,
    at: dt.datetime = NOW,
    channel: str = CHANNEL,
    chaincode: str = CHAINCODE,
) -> Story:
    """The story, with neighbours in its blocks; other senders, endorsers, times or names if given."""
    endorsers = [consortium.of[name].peer for name in NAMES[:3]] if endorsers is None else endorsers
    transactions, blocks, records = [], [], []
    for number, (name, wrote) in enumerate(writes(), 5):
        sender = (senders or {}).get(name, consortium.of[name].client)
        values = {key: json.dumps(value, sort_keys=True, separators=(",", ":")) for key, value in wrote.items()}
        envelope = consortium.transaction(
            values, sender, endorsers, at=at + dt.timedelta(seconds=number), channel=channel, chaincode=chaincode
        )
        neighbour = consortium.transaction({"other": "{}"}, sender, endorsers, at=at + dt.timedelta(minutes=number))
        block = consortium.block(number, [neighbour, envelope])
        transactions.append(consortium.witnessed(envelope, number, 1))
        blocks.append(block)
        records += [
            {"key": key, "transaction": transactions[-1]["id"], "value": value} for key, value in values.items()
        ]
    payload = {
        "blocks": blocks,
        "chaincode": CHAINCODE,
        "channel": CHANNEL,
        "documents": [{"commitment": COMMITMENT, "digest": DIGEST, "id": DOCUMENT, "salt": SALT.hex()}],
        "format": "ledger-node-evidence",
        "genesis": consortium.genesis,
        "issued_at": "2026-11-30T12:30:00Z",
        "issuer": "SupplierMSP",
        "records": records,
        "subject": {"id": DOCUMENT, "kind": "document"},
        "transactions": transactions,
        "version": 1,
    }
    return Story(consortium, payload, consortium.trust())


def replaced(story: Story, place: int, envelope: bytes) -> None:
    """Put another envelope in the place of a transaction, in its block and in the peers' answers, all signed anew."""
    number = story.payload["transactions"][place]["block"]
    neighbour = unb64(story.payload["blocks"][place]["data"][0])
    story.payload["blocks"][place] = story.consortium.block(number, [neighbour, envelope])
    witnessed = story.consortium.witnessed(envelope, number, 1)
    for record in story.payload["records"]:
        if record["transaction"] == story.payload["transactions"][place]["id"]:
            record["transaction"] = witnessed["id"]
    story.payload["transactions"][place] = witnessed


def written(folder: Path, bundle: bytes, trust: JSON | bytes, file: bytes = FILE) -> tuple[Path, Path, Path]:
    """The three files: document, bundle, trust file."""
    paths = folder / "invoice.xml", folder / "bundle.json", folder / "trust.json"
    for path, content in zip(paths, (file, bundle, trust), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else canonical(content))
    return paths
