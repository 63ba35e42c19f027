"""State-based endorsement policies: which organisations' peers must endorse a change of one key.

The same policies, byte for byte, as those of fabric-chaincode-go (`pkg/statebased`): every organisation listed must
endorse, none may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"  # the metadata key under which Fabric keeps a key's policy
ROLES = {"MEMBER": MSPRole.MEMBER, "PEER": MSPRole.PEER}


def every_peer_of(msp_ids: Sequence[str]) -> bytes:
    """The policy that wants an endorsement of a peer of every one of these organisations.

    Args:
        msp_ids: at least one; order and repetition do not matter.

    Returns:
        A serialized SignaturePolicyEnvelope, as `set_state_validation_parameter` takes it.

    Raises:
        ValueError: there is none, and a policy without anybody is fulfilled by anybody.
    """
    if isinstance(msp_ids, str) or not msp_ids or not all(msp_ids):
        raise ValueError(f"a list of MSP ids is needed, none of them empty, not {msp_ids!r}")
    return encode_policy(dict.fromkeys(msp_ids, "PEER"))


def encode_policy(roles: Mapping[str, str]) -> bytes:
    """The policy that wants an endorsement by every organisation.

    Args:
        roles: "PEER" or "MEMBER" by MSP id; where organisations have no node OUs, only "MEMBER" can be told.

    Raises:
        KeyError: an unknown role.
    """
    ordered = sorted(roles, key=str.encode)
    principals = [
        MSPPrincipal(
            principal_classification=MSPPrincipal.ROLE,
            principal=MSPRole(role=ROLES[roles[msp_id]], msp_identifier=msp_id).SerializeToString(),
        )
        for msp_id in ordered
    ]
    everybody = SignaturePolicy.NOutOf(
        n=len(ordered), rules=[SignaturePolicy(signed_by=number) for number in range(len(ordered))]
    )
    envelope = SignaturePolicyEnvelope(rule=SignaturePolicy(n_out_of=everybody), identities=principals)
    return bytes(envelope.SerializeToString(deterministic=True))


def decode_policy(policy: bytes) -> dict[str, str]:
    """The organisations that a policy names, with their role ("PEER", "MEMBER", ...).

    Args:
        policy: as `get_state_validation_parameter` returned it; what it combines them to is not read.
    """
    envelope = SignaturePolicyEnvelope.FromString(policy)
    named = [
        MSPRole.FromString(identity.principal)
        for identity in envelope.identities
        if identity.principal_classification == MSPPrincipal.ROLE
    ]
    return {role.msp_identifier: MSPRole.MSPRoleType.Name(role.role) for role in named}
