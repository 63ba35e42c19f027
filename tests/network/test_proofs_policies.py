"""What a channel's configuration says of whom to believe: read as Fabric means it, or refused by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common.configtx_pb2 import Config, ConfigGroup
from fabric_protos.common.configuration_pb2 import Consenter, Orderers
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy, SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, FabricNodeOUs, FabricOUIdentifier, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from network.proofs.configuration import Consenter as ProofConsenter
from network.proofs.configuration import Rule
from network.proofs.policies import UnfitError, read_configuration

NAMES = ("AMSP", "BMSP", "CMSP")
BY_REFERENCE = ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Endorsement")
PEERS = tuple(Rule(out_of=1, rules=(Rule(name, "peer"),)) for name in NAMES)


def revocation_list(*serials: int) -> bytes:
    now, name = dt.datetime(2026, 11, 30, tzinfo=dt.UTC), x509.Name([])
    builder = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(now)
    builder = builder.next_update(now + dt.timedelta(days=1))
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(revoked)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def authority(curve: ec.EllipticCurve) -> bytes:
    key, name = ec.generate_private_key(curve), x509.Name([])
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(since).not_valid_after(since + dt.timedelta(days=999))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


ROOT, INTERMEDIATE = authority(ec.SECP256R1()), authority(ec.SECP256R1())


def some_of(count: int, *roles: tuple[str, int]) -> SignaturePolicyEnvelope:
    principals = [
        MSPPrincipal(principal=MSPRole(msp_identifier=name, role=role).SerializeToString()) for name, role in roles
    ]
    rules = [SignaturePolicy(signed_by=number) for number in range(len(roles))]
    return SignaturePolicyEnvelope(
        rule=SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=count, rules=rules)), identities=principals
    )


def signature_policy(envelope: SignaturePolicyEnvelope) -> Policy:
    return Policy(type=Policy.SIGNATURE, value=envelope.SerializeToString())


def meta(rule: int) -> Policy:
    value = ImplicitMetaPolicy(sub_policy="Endorsement", rule=rule).SerializeToString()
    return Policy(type=Policy.IMPLICIT_META, value=value)


def organisation(name: str) -> ConfigGroup:
    unit = FabricOUIdentifier(organizational_unit_identifier="peer")
    msp = FabricMSPConfig(
        name=name,
        root_certs=[ROOT],
        intermediate_certs=[INTERMEDIATE],
        revocation_list=[revocation_list(7, 9), revocation_list(11)],
        fabric_node_ous=FabricNodeOUs(enable=True, peer_ou_identifier=unit),
    )
    group = ConfigGroup()
    group.values["MSP"].value = MSPConfig(config=msp.SerializeToString()).SerializeToString()
    group.policies["Endorsement"].policy.CopyFrom(signature_policy(some_of(1, (name, MSPRole.PEER))))
    return group


def configuration() -> Config:
    """Three organisations that order by BFT and endorse by majority."""
    config = Config()
    orderer, application = (config.channel_group.groups[name] for name in ("Orderer", "Application"))
    orderer.values["ConsensusType"].value = ConsensusType(type="BFT").SerializeToString()
    mapping = [Consenter(id=number, msp_id=name, identity=b"pem") for number, name in enumerate(NAMES, 1)]
    orderer.values["Orderers"].value = Orderers(consenter_mapping=mapping).SerializeToString()
    validation = signature_policy(some_of(2, *((name, MSPRole.ORDERER) for name in NAMES)))
    orderer.policies["BlockValidation"].policy.CopyFrom(validation)
    application.policies["Endorsement"].policy.CopyFrom(meta(ImplicitMetaPolicy.MAJORITY))
    for name in NAMES:
        application.groups[name].CopyFrom(organisation(name))
    return config


def test_organisations_consenters_quorum_and_policy_are_read() -> None:
    read = read_configuration(3, configuration(), BY_REFERENCE)
    assert (read.block, read.quorum, read.majority) == (3, 2, 2)
    assert read.consenters == tuple(ProofConsenter(number, name, b"pem") for number, name in enumerate(NAMES, 1))
    assert [each.msp_id for each in read.members] == list(NAMES)
    member = read.members[0]
    assert (member.authorities, member.intermediates) == ((ROOT,), (INTERMEDIATE,))
    assert (member.revoked, member.units) == (frozenset({7, 9, 11}), {"peer": "peer"})
    assert read.endorsement == Rule(out_of=2, rules=PEERS)


@pytest.mark.parametrize(
    ("rule", "wanted"), [(ImplicitMetaPolicy.ANY, 1), (ImplicitMetaPolicy.ALL, 3), (ImplicitMetaPolicy.MAJORITY, 2)]
)
def test_any_all_and_majority_count_the_organisations(rule: int, wanted: int) -> None:
    config = configuration()
    config.channel_group.groups["Application"].policies["Endorsement"].policy.CopyFrom(meta(rule))
    assert read_configuration(0, config, BY_REFERENCE).endorsement == Rule(out_of=wanted, rules=PEERS)


def test_a_policy_of_the_contract_itself_is_read() -> None:
    own = ApplicationPolicy(signature_policy=some_of(2, ("AMSP", MSPRole.PEER), ("BMSP", MSPRole.MEMBER)))
    wanted = Rule(out_of=2, rules=(Rule("AMSP", "peer"), Rule("BMSP", "member")))
    assert read_configuration(0, configuration(), own).endorsement == wanted


def _change_msp(config: Config, change: Callable[[FabricMSPConfig], None]) -> None:
    value = config.channel_group.groups["Application"].groups["AMSP"].values["MSP"]
    msp = FabricMSPConfig.FromString(MSPConfig.FromString(value.value).config)
    change(msp)
    value.value = MSPConfig(config=msp.SerializeToString()).SerializeToString()


def units_switched_off(config: Config) -> None:
    _change_msp(config, lambda msp: setattr(msp.fabric_node_ous, "enable", False))


def an_authority_on_p384(config: Config) -> None:
    _change_msp(config, lambda msp: msp.root_certs.append(authority(ec.SECP384R1())))


def no_certificate_of_an_authority(config: Config) -> None:
    _change_msp(config, lambda msp: msp.root_certs.append(b"none"))


def consenters_of_one_organisation(config: Config) -> None:
    mapping = [Consenter(id=number, msp_id="AMSP", identity=b"pem") for number in range(1, 4)]
    orderer = config.channel_group.groups["Orderer"]
    orderer.values["Orderers"].value = Orderers(consenter_mapping=mapping).SerializeToString()


def raft(config: Config) -> None:
    consensus = ConsensusType(type="etcdraft").SerializeToString()
    config.channel_group.groups["Orderer"].values["ConsensusType"].value = consensus


def any_orderer(config: Config) -> None:
    policy = config.channel_group.groups["Orderer"].policies["BlockValidation"].policy
    policy.CopyFrom(meta(ImplicitMetaPolicy.ANY))


def nested_quorum(config: Config) -> None:
    inner = some_of(1, ("AMSP", MSPRole.ORDERER))
    outer = SignaturePolicyEnvelope(rule=SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=1, rules=[inner.rule])))
    config.channel_group.groups["Orderer"].policies["BlockValidation"].policy.CopyFrom(signature_policy(outer))


def broken_revocation_list(config: Config) -> None:
    value = config.channel_group.groups["Application"].groups["AMSP"].values["MSP"]
    msp = FabricMSPConfig(name="AMSP", revocation_list=[b"none"])
    value.value = MSPConfig(config=msp.SerializeToString()).SerializeToString()


def unknown_policy(config: Config) -> None:
    config.channel_group.groups["Application"].policies["Endorsement"].policy.CopyFrom(Policy(type=2))


def unreadable(config: Config) -> None:
    config.channel_group.groups["Orderer"].values["Orderers"].value = b"\xff"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (raft, "ordered by etcdraft"),
        (any_orderer, "no policy over the consenters' certificates"),
        (nested_quorum, "does not count consenters"),
        (broken_revocation_list, "a revocation list cannot be read"),
        (unknown_policy, "policies of type 2"),
        (units_switched_off, "AMSP has no organisational units"),
        (an_authority_on_p384, "an authority of AMSP has no key on P-256"),
        (no_certificate_of_an_authority, "an authority of AMSP cannot be read"),
        (consenters_of_one_organisation, "they are of 1 organisations"),
        (unreadable, "cannot be read"),
    ],
)
def test_what_proofs_cannot_be_checked_against_is_refused_by_name(change: Callable[[Config], None], words: str) -> None:
    config = configuration()
    change(config)
    with pytest.raises(UnfitError, match=words):
        read_configuration(0, config, BY_REFERENCE)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (ApplicationPolicy(channel_config_policy_reference="/Channel/Orderer/Writers"), "none of the application's"),
        (
            ApplicationPolicy(
                signature_policy=SignaturePolicyEnvelope(
                    rule=SignaturePolicy(signed_by=0),
                    identities=[MSPPrincipal(principal_classification=MSPPrincipal.IDENTITY)],
                )
            ),
            "not roles of organisations",
        ),
    ],
)
def test_an_endorsement_policy_that_cannot_be_said_is_refused_by_name(policy: ApplicationPolicy, words: str) -> None:
    with pytest.raises(UnfitError, match=words):
        read_configuration(0, configuration(), policy)
