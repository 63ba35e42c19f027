"""A channel's configuration as Fabric keeps it, turned into the plain data that proofs are checked against.

What cannot be said in that data is refused, never left out: a policy that was read too narrowly would refuse what is
good, one read too widely would believe what is not.
Source: Fabric's `common/configtx.proto`, `common/policies.proto`, `msp/msp_config.proto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography import x509
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from google.protobuf.message import DecodeError

from network.proofs import signatures
from network.proofs.configuration import Configuration, Consenter, Member, Rule, load

BFT = "BFT"
APPLICATION = "/Channel/Application/"
ROLES = ("client", "peer", "admin", "orderer")


class UnfitError(Exception):
    """A configuration says something that proofs cannot be checked against."""


def read_configuration(number: int, config: Config, policy: ApplicationPolicy) -> Configuration:
    """What a configuration says of whom to believe.

    Args:
        number: of the block that it stands in.
        config: of the channel.
        policy: whose endorsements the chaincode wants.

    Raises: UnfitError.
    """
    try:
        return _configuration(number, config, policy)
    except DecodeError as error:
        raise UnfitError(f"the configuration of block {number} cannot be read") from error


def _configuration(number: int, config: Config, policy: ApplicationPolicy) -> Configuration:
    orderer, application = (config.channel_group.groups[name] for name in ("Orderer", "Application"))
    consensus = ConsensusType.FromString(orderer.values["ConsensusType"].value).type
    if consensus != BFT:
        raise UnfitError(f"blocks are ordered by {consensus}: one orderer signs each, and no quorum does")
    mapping = Orderers.FromString(orderer.values["Orderers"].value).consenter_mapping
    quorum, organisations = _quorum(orderer.policies["BlockValidation"].policy), {each.msp_id for each in mapping}
    if len(organisations) < quorum:
        text = f"{quorum} consenters sign a block, and they are of {len(organisations)} organisations"
        raise UnfitError(f"{text}: each counts once here, so no block could be shown")
    return Configuration(
        block=number,
        quorum=quorum,
        consenters=tuple(Consenter(each.id, each.msp_id, each.identity) for each in mapping),
        members=tuple(_member(application.groups[name]) for name in sorted(application.groups)),
        endorsement=_endorsement(policy, application),
    )


def _quorum(policy: Any) -> int:
    """How many consenters sign a block: of the signature policy over their certificates."""
    if policy.type != Policy.SIGNATURE:
        raise UnfitError("BlockValidation is no policy over the consenters' certificates")
    rule = SignaturePolicyEnvelope.FromString(policy.value).rule
    if rule.WhichOneof("Type") != "n_out_of" or any(
        each.WhichOneof("Type") != "signed_by" for each in rule.n_out_of.rules
    ):
        raise UnfitError("BlockValidation does not count consenters")
    return int(rule.n_out_of.n)


def _member(group: Any) -> Member:
    msp = FabricMSPConfig.FromString(MSPConfig.FromString(group.values["MSP"].value).config)
    units = msp.fabric_node_ous
    named = {role: getattr(units, f"{role}_ou_identifier").organizational_unit_identifier for role in ROLES}
    revoked = {each.serial_number for crl in msp.revocation_list for each in _revocations(crl)}
    if not units.enable:
        raise UnfitError(f"{msp.name} has no organisational units for roles (NodeOUs): nobody is known as a peer")
    for pem in (*msp.root_certs, *msp.intermediate_certs):
        _require_p256(pem, msp.name)
    return Member(
        msp.name,
        tuple(msp.root_certs),
        tuple(msp.intermediate_certs),
        frozenset(revoked),
        {role: unit for role, unit in named.items() if unit},
    )


def _require_p256(pem: bytes, msp_id: str) -> None:
    try:
        key = signatures.p256_key(load(pem))
    except ValueError as error:
        raise UnfitError(f"an authority of {msp_id} cannot be read: {error}") from error
    if key is None:
        raise UnfitError(f"an authority of {msp_id} has no key on P-256: nothing that it issued would hold")


def _revocations(crl: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_pem_x509_crl(crl) if crl.lstrip().startswith(b"-") else x509.load_der_x509_crl(crl)
    except ValueError as error:
        raise UnfitError(f"a revocation list cannot be read: {error}") from error


def _endorsement(policy: ApplicationPolicy, application: Any) -> Rule:
    if policy.WhichOneof("Type") == "signature_policy":
        return _signature_rule(policy.signature_policy)
    reference = policy.channel_config_policy_reference
    name = reference.removeprefix(APPLICATION)
    if name == reference or "/" in name:
        raise UnfitError(f"the endorsement policy {reference} is none of the application's")
    return _rule(application.policies[name].policy, application.groups)


def _rule(policy: Any, groups: Mapping[str, Any]) -> Rule:
    if policy.type == Policy.SIGNATURE:
        return _signature_rule(SignaturePolicyEnvelope.FromString(policy.value))
    if policy.type != Policy.IMPLICIT_META:
        raise UnfitError(f"policies of type {policy.type} are not known")
    meta = ImplicitMetaPolicy.FromString(policy.value)
    below = tuple(_rule(groups[name].policies[meta.sub_policy].policy, groups[name].groups) for name in sorted(groups))
    counts = {
        ImplicitMetaPolicy.ANY: 1,
        ImplicitMetaPolicy.ALL: len(below),
        ImplicitMetaPolicy.MAJORITY: len(below) // 2 + 1,
    }
    return Rule(out_of=counts[meta.rule], rules=below)


def _signature_rule(envelope: SignaturePolicyEnvelope) -> Rule:
    signers = [_signer(each) for each in envelope.identities]

    def read(rule: Any) -> Rule:
        if rule.WhichOneof("Type") == "signed_by":
            signer: Rule = signers[rule.signed_by]
            return signer
        return Rule(out_of=rule.n_out_of.n, rules=tuple(read(each) for each in rule.n_out_of.rules))

    return read(envelope.rule)


def _signer(principal: MSPPrincipal) -> Rule:
    if principal.principal_classification != MSPPrincipal.ROLE:
        raise UnfitError("the endorsement policy names certificates or units, not roles of organisations")
    role = MSPRole.FromString(principal.principal)
    return Rule(role.msp_identifier, MSPRole.MSPRoleType.Name(role.role).lower())
