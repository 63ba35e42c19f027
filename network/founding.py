"""Founding a channel together: one file that travels, which everybody signs and makes the same genesis block from.

The file holds the cards of all founders and what the channel is to be. Each organisation's administrator signs its
content; nobody needs anybody else's keys. configtxgen draws a nonce and a time for each block, so both are replaced by
what follows from the content, and maps are written in order: the same file gives the same bytes on every host.
Source: Fabric's `configtxgen/encoder` and `common/genesis` (what a genesis block is made of), protobuf's deterministic
serialisation.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload, SignatureHeader
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from google.protobuf.message import DecodeError
from pydantic import Field

from network import channel, identities
from network.blocks import BlockError, read_block
from network.cards import Card, Signature, SignedCard, Strict, canonical, check, check_together, make, parsed, verify
from network.cards import sign as sign_content
from network.channel import Founder
from network.errors import SetupError
from network.tools import Tools
from network.topology import Consensus, Organisation, Other, Topology

FOUNDERS_MAX = 20
FOUNDING_BYTES_MAX = 8 * 1024 * 1024
BFT_FOUNDERS_MIN = 4
_PURPOSE = b"ledger-node founding 1\n"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Founding(Strict):
    """What is founded: the channel, when it was proposed (UTC), and the founders' cards in the order of MSP ids."""

    form: Literal["founding 1"] = "founding 1"
    channel: str = Field(pattern=r"^[a-z][a-z0-9.-]{0,60}$")
    chaincode: str = Field(pattern=r"^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$")
    consensus: Consensus
    proposed_at: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    cards: Annotated[tuple[SignedCard, ...], Field(min_length=1, max_length=FOUNDERS_MAX)]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, which all signatures are of; 64 hex digits."""
        return hashlib.sha256(canonical(self)).hexdigest()

    def card(self, msp_id: str) -> Card | None:
        """The founder of that MSP id."""
        return next((each.card for each in self.cards if each.card.msp_id == msp_id), None)


class SignedFounding(Strict):
    """A founding with the signatures (as of cards) that its founders' administrators have given, by MSP id."""

    founding: Founding
    signatures: dict[str, Signature]

    def missing(self) -> list[str]:
        """Who has not signed."""
        return [each.card.msp_id for each in self.founding.cards if each.card.msp_id not in self.signatures]


def propose(topology: Topology, cards: Sequence[SignedCard], now: dt.datetime) -> SignedFounding:
    """What the own organisations propose to found with those of the cards; nobody has signed it.

    Args:
        topology: says the channel's name, its contract's name and its consensus.
        cards: of all founders.
        now: UTC.

    Raises: SetupError.
    """
    ordered = tuple(sorted(cards, key=lambda each: each.card.msp_id))
    if len(ordered) < BFT_FOUNDERS_MIN and topology.consensus == "bft":
        text = f"{len(ordered)} orderers tolerate none that fails or lies: consensus: bft needs {BFT_FOUNDERS_MIN}"
        raise SetupError(text, "Write `consensus: raft` into network.yaml, or found it with more organisations.")
    founding = Founding(
        channel=topology.channel,
        chaincode=topology.chaincode,
        consensus=topology.consensus,
        proposed_at=now.strftime(_MOMENT),
        cards=ordered,
    )
    signed = SignedFounding(founding=founding, signatures={})
    check_founding(signed, now)
    return signed


def read(contents: Iterable[tuple[str, bytes]]) -> SignedFounding:
    """A founding from one or more files of the same content, with the signatures of all of them; checked.

    Args:
        contents: name and content of each file.

    Raises: SetupError.
    """
    files = [parsed(content, name, SignedFounding, FOUNDING_BYTES_MAX) for name, content in contents]
    first = files[0].founding
    if any(each.founding != first for each in files):
        raise SetupError("the files are of different foundings", "Take those of one proposal.")
    whole = SignedFounding(founding=first, signatures={k: v for each in files for k, v in each.signatures.items()})
    check_founding(whole, dt.datetime.now(dt.UTC))
    return whole


def check_founding(signed: SignedFounding, now: dt.datetime) -> None:
    """Whether each card is whole, the founders can be on one channel, and each signature is that founder's.

    Raises: SetupError.
    """
    founding = signed.founding
    try:
        _moment(founding)
    except ValueError as error:
        raise SetupError(f"the founding was proposed at no time: {error}", "Have it proposed anew.") from error
    for each in founding.cards:
        check(each, now)
    check_together([each.card for each in founding.cards])
    if list(founding.cards) != sorted(founding.cards, key=lambda each: each.card.msp_id):
        raise SetupError("the founding's cards are not in the order of MSP ids", "Have it proposed anew.")
    if strangers := sorted(set(signed.signatures) - {each.card.msp_id for each in founding.cards}):
        raise SetupError(f"{strangers[0]} has signed the founding and is no founder", "Take the file as it was before.")
    for each in founding.cards:
        msp_id, card = each.card.msp_id, each.card
        signature = signed.signatures.get(msp_id)
        if signature is not None and not verify(signature, _PURPOSE, founding, card.admin):
            text = f"the signature of {msp_id} is of another founding: cards or channel were changed since"
            raise SetupError(text, "Have it proposed anew, and signed by all.")


def sign(topology: Topology, signed: SignedFounding) -> SignedFounding:
    """The founding with the signatures of the own organisations besides.

    Raises: SetupError when none of them is a founder, or the own card in it is not what the own files say.
    """
    signatures = dict(signed.signatures)
    for organisation in _own_founders(topology, signed.founding):
        key = topology.folders(organisation.name).admin.key
        try:
            signatures[organisation.msp_id] = sign_content(key.read_bytes(), _PURPOSE, signed.founding)
        except (OSError, ValueError) as error:
            raise SetupError(f"{key} cannot be used: {error}", "Restore it from a backup.") from error
    return signed.model_copy(update={"signatures": signatures})


def genesis(tools: Tools, signed: SignedFounding) -> bytes:
    """The channel's genesis block, the same bytes wherever it is made.

    Raises: SetupError while a signature is missing; NetworkError of configtxgen.
    """
    if missing := signed.missing():
        remedy = "Each of them signs: ledger-node channel sign. Files that were signed apart can be given together."
        raise SetupError(f"not signed yet by {', '.join(missing)}", remedy)
    founding = signed.founding
    with tempfile.TemporaryDirectory(prefix="founding-") as name:
        folder = Path(name)
        founders = [_unpacked(each.card, folder / str(number)) for number, each in enumerate(founding.cards)]
        block = folder / "genesis.block"
        channel.make_genesis(tools, founding.channel, founding.consensus, founders, block)
        return settled(block.read_bytes(), founding)


def settled(block: bytes, founding: Founding) -> bytes:
    """A genesis block of configtxgen's with nothing in it that another run would make otherwise."""
    loose = Block.FromString(block)
    payload = Payload.FromString(Envelope.FromString(loose.data.data[0]).payload)
    header = ChannelHeader.FromString(payload.header.channel_header)
    header.timestamp.FromDatetime(_moment(founding))
    nonce = hashlib.sha256(_PURPOSE + canonical(founding)).digest()[:24]
    header.tx_id = hashlib.sha256(nonce).hexdigest()  # of nonce and creator, and nobody creates it
    config = ConfigEnvelope.FromString(payload.data)
    payload.header.channel_header = header.SerializeToString(deterministic=True)
    payload.header.signature_header = SignatureHeader(nonce=nonce).SerializeToString(deterministic=True)
    payload.data = config.SerializeToString(deterministic=True)
    envelope = Envelope(payload=payload.SerializeToString(deterministic=True)).SerializeToString(deterministic=True)
    loose.data.data[0] = envelope
    loose.header.data_hash = hashlib.sha256(envelope).digest()
    return bytes(loose.SerializeToString(deterministic=True))


def _moment(founding: Founding) -> dt.datetime:
    """When it was proposed. Raises: ValueError when the calendar has no such day."""
    return dt.datetime.strptime(founding.proposed_at, _MOMENT).replace(tzinfo=dt.UTC)


def digest(block: bytes) -> str:
    """The hash of a block's header, 64 hex digits, as `channel trust` names it.

    Raises: SetupError when it is no block.
    """
    try:
        message = Block.FromString(block)
        if message.data.data:
            return read_block(message).hash.hex()
        fault = "it holds nothing"
    except (DecodeError, BlockError) as error:
        fault = str(error)
    raise SetupError(f"this is no genesis block: {fault}", "Make it: ledger-node channel genesis")


def join(topology: Topology, tools: Tools, signed: SignedFounding, block: bytes) -> str:
    """Keep the block of a founding that one's own organisation has signed, and who the others are.

    The others are written before the block, which `up` begins with: killed in between, it is run again.

    Returns: the block's digest.

    Raises: SetupError when the block is not the founding's, or another one is here already.
    """
    found = digest(block)
    own = {each.msp_id for each in _own_founders(topology, signed.founding)}
    made = genesis(tools, signed)
    if made != block:
        text = f"the block ({found}) is not the one that all have signed ({digest(made)})"
        raise SetupError(text, "Make it from the founding on this host: ledger-node channel genesis")
    here = topology.genesis_block
    if here.exists() and here.read_bytes() != block:
        text = f"{here} is the block of another channel ({digest(here.read_bytes())})"
        raise SetupError(text, "A host keeps the channel that it has joined. Begin anew in another folder.")
    others = [each.card for each in signed.founding.cards if each.card.msp_id not in own]
    _keep_others(topology, others)
    _write(here, block)
    return found


def _own_founders(topology: Topology, founding: Founding) -> list[Organisation]:
    """Raises: SetupError when the founding is not of what the own network.yaml and the own files say."""
    for what in ("channel", "chaincode", "consensus"):
        here, there = getattr(topology, what), getattr(founding, what)
        if here != there:
            text = f"the founding says {what}: {there}, and {topology.file} says {here}"
            raise SetupError(text, "Mend the file if the founding is right; otherwise have it proposed anew.")
    if topology.founding != "together":
        text = f"{topology.file} is of a network that one machine runs alone"
        raise SetupError(text, "An organisation on its own host begins with: ledger-node org init")
    found = []
    for organisation in topology.organisations:
        card = founding.card(organisation.msp_id)
        if card is None:
            text = f"{organisation.msp_id} is not among the founders"
            raise SetupError(text, "Give its card to whoever proposes: ledger-node org card")
        if card != make(organisation, topology.folders(organisation.name)).card:
            text = f"the card of {organisation.msp_id} in the founding is not what its own files say"
            raise SetupError(text, "It was changed, or is an old one: give the new one to whoever proposes.")
        found.append(organisation)
    return found


def _unpacked(card: Card, folder: Path) -> Founder:
    """A founder's public files, as configtxgen reads them."""
    msp = folder / "msp"
    files = {
        msp / "cacerts" / "ca.pem": card.authority,
        msp / "tlscacerts" / "tlsca.pem": card.tls_authority,
        msp / "config.yaml": identities.NODE_OUS,
        folder / "orderer.pem": card.orderer,
        folder / "orderer-tls.pem": card.orderer_tls,
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "ascii")
    orderer, tls = folder / "orderer.pem", folder / "orderer-tls.pem"
    return Founder(card.msp_id, card.host, card.orderer_port, card.peer_port, msp, orderer, tls)


def _keep_others(topology: Topology, cards: Sequence[Card]) -> None:
    """Their TLS roots, and their lines at the end of network.yaml, whose own text stays as it is."""
    others = tuple(
        Other(name=card.name, msp_id=card.msp_id, host=card.host, orderer=card.orderer_port, peer=card.peer_port)
        for card in cards
    )
    for other, card in zip(others, cards, strict=True):
        _write(topology.root_of(other), card.tls_authority.encode())
    if topology.others == others:
        return
    if topology.others:
        raise SetupError(f"{topology.file} names others than the founding does", "Delete them there, and try again.")
    lines = yaml.safe_dump({"others": [each.model_dump() for each in others]}, sort_keys=False)
    text = topology.file.read_text("utf-8").rstrip("\n").removesuffix("\nothers: []")
    _write(topology.file, f"{text}\n{lines}".encode())


def _write(path: Path, content: bytes) -> None:
    """In one step, and on the disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    fresh.replace(path)
