"""Reads creator and time out of the signed proposal that comes with each transaction.

The peer has checked signature and membership before it hands the proposal over; nothing is checked again here.
"""

from __future__ import annotations

from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.proposal_pb2 import Proposal, SignedProposal

from chaincode.stub import Creator


def read_proposal(signed: SignedProposal) -> tuple[Creator, int]:
    """Decode a signed proposal.

    Args:
        signed: as the peer sent it with the TRANSACTION message.

    Returns:
        The creator, and the proposal's time in whole seconds since 1970 UTC.

    Raises:
        ValueError: there is no proposal, or it names no creator.
    """
    header = Header.FromString(Proposal.FromString(signed.proposal_bytes).header)
    channel_header = ChannelHeader.FromString(header.channel_header)
    identity = SerializedIdentity.FromString(SignatureHeader.FromString(header.signature_header).creator)
    if not identity.mspid:
        raise ValueError("the transaction came without the proposal of a creator")
    return Creator(identity.mspid, identity.id_bytes), int(channel_header.timestamp.seconds)
