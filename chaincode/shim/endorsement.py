"""State-based endorsement policies: which organisations' peers must endorse a change of one key.

The same policies, byte for byte, as those of fabric-chaincode-go (`pkg/statebased`): every organisation listed must
endorse, none may be left out. One more that Go's library has no name for: these all, and so many of those.
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


def peers_of(msp_ids: Sequence[str], others: Sequence[str], others_min: int) -> bytes:
    """The policy that wants a peer of every one of these organisations, and of some of the others.

    Args:
        msp_ids: at least one; each is needed.
        others: other ones; order does not matter.
        others_min: how many of the others are needed, at least one.

    Returns:
        A serialized SignaturePolicyEnvelope, as `set_state_validation_parameter` takes it.

    Raises:
        ValueError: there are too few, or one is named twice: its one signature counts once.
    """
    owners, rest = sorted(msp_ids, key=str.encode), sorted(others, key=str.encode)
    named = [*owners, *rest]
    if not owners or not all(named) or len(set(named)) != len(named) or not 1 <= others_min <= len(rest):
        raise ValueError(f"{others_min} of {others!r} beside all of {msp_ids!r} is no policy")
    signed = [SignaturePolicy(signed_by=number) for number in range(len(named))]
    some = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=others_min, rules=signed[len(owners) :]))
    rules = [*signed[: len(owners)], some]
    return _envelope(rules, [_principal(msp_id, "PEER") for msp_id in named])


def encode_policy(roles: Mapping[str, str]) -> bytes:
    """The policy that wants an endorsement by every organisation.

    Args:
        roles: "PEER" or "MEMBER" by MSP id; where organisations have no node OUs, only "MEMBER" can be told.

    Raises:
        KeyError: an unknown role.
    """
    ordered = sorted(roles, key=str.encode)
    signed = [SignaturePolicy(signed_by=number) for number in range(len(ordered))]
    return _envelope(signed, [_principal(msp_id, roles[msp_id]) for msp_id in ordered])


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


def _principal(msp_id: str, role: str) -> MSPPrincipal:
    named = MSPRole(role=ROLES[role], msp_identifier=msp_id)
    return MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=named.SerializeToString())


def _envelope(rules: Sequence[SignaturePolicy], principals: Sequence[MSPPrincipal]) -> bytes:
    """The policy that wants all of the rules fulfilled."""
    everything = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=len(rules), rules=rules))
    envelope = SignaturePolicyEnvelope(rule=everything, identities=principals)
    return bytes(envelope.SerializeToString(deterministic=True))
