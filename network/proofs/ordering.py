"""A block's header as its orderers signed it.

A BFT orderer signs the metadata's value, its own number and nonce, and the header in DER. The number is looked up in
the configuration: the certificate of a signer is never taken from the block.
Source: fabric `protoutil/blockutils.go`, SmartBFT's `AssembleBlock` and `Signer`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import IdentifierHeader, OrdererBlockMetadata

from network.blocks import header_bytes
from network.proofs import signatures
from network.proofs.configuration import Configuration, load
from network.proofs.messages import UnreadableError, read


@dataclass(frozen=True, slots=True)
class BlockSignature:
    """One orderer's: the message `common.IdentifierHeader` as it was signed, and the signature."""

    header: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A block's header and what stands beside it: hashes of 32 bytes, and the metadata's value."""

    number: int
    previous_hash: bytes
    data_hash: bytes
    value: bytes
    signatures: tuple[BlockSignature, ...]


def signed_configuration(header: SignedHeader) -> int | None:
    """The number of the last configuration block by the header's own, signed word; None when it does not say."""
    try:
        return int(read(OrdererBlockMetadata, header.value).last_config.index)
    except UnreadableError:
        return None


def signing_fault(header: SignedHeader, configuration: Configuration) -> str:
    """Why a header is not signed by a quorum; empty when it is. Each organisation counts once.

    Signatures that do not hold are passed over: whoever hands a block on may add some, and spoils nothing by it.
    """
    der = header_bytes(header.number, header.previous_hash, header.data_hash)
    by_number = {each.number: each for each in configuration.consenters}
    signed: set[str] = set()
    faults: list[str] = []
    for each in header.signatures:
        try:
            number = int(read(IdentifierHeader, each.header).identifier)
        except UnreadableError:
            faults.append("a signature's header cannot be read")
            continue
        consenter = by_number.get(number)
        if consenter is None:
            faults.append(f"there is no consenter {number}")
        elif not signatures.holds(load(consenter.certificate), each.signature, header.value + each.header + der):
            faults.append(f"the signature of consenter {number} ({consenter.msp_id}) does not hold")
        else:
            signed.add(consenter.msp_id)
    if len(signed) < configuration.quorum:
        told = ", ".join(sorted(signed)) or "nobody"
        others = f" ({'; '.join(faults)})" if faults else ""
        return f"it is signed by orderers of {told}, and the quorum is {configuration.quorum} organisations{others}"
    return ""
