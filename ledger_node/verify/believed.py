"""Whom to believe, from the trust file to what signatures are checked against."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from ledger_node.verify.format import Trust, TrustedConfiguration, TrustedRule
from network.proofs.configuration import Configuration, Consenter, Member, Rule, load
from network.proofs.policies import UnfitError


class Believed:
    """The trust file, ready for use.

    Raises: UnfitError when a certificate in it is none, or its configurations are not in order.
    """

    def __init__(self, trust: Trust) -> None:
        self.file = trust
        self._configurations = tuple(_configuration(each) for each in trust.configurations)
        blocks = [each.block for each in self._configurations]
        if blocks != sorted(set(blocks)):
            raise UnfitError("the configurations are not in the order of their blocks")
        for each in self._configurations:
            _require_certificates(each)

    @property
    def newest(self) -> Configuration:
        """The last configuration that it knows."""
        return self._configurations[-1]

    def in_force(self, block: int) -> Configuration | None:
        """The configuration under which a block was ordered and its transactions judged; None before all of them."""
        before = [each for each in self._configurations if each.block < block]
        return before[-1] if before else None

    def since(self, block: int) -> Sequence[Configuration]:
        """The configuration in force for a block and all later ones; all when the file begins after it.

        What was signed of a block was signed later, under one of them; when, only the signer says.
        """
        force = self.in_force(block)
        return [each for each in self._configurations if force is None or each.block >= force.block]

    def with_revocations(self, configuration: Configuration) -> Configuration:
        """The same, with every certificate revoked that the newest configuration names as revoked."""
        revoked = {each.msp_id: each.revoked for each in self.newest.members}
        members = (
            replace(each, revoked=each.revoked | revoked.get(each.msp_id, set())) for each in configuration.members
        )
        return replace(configuration, members=tuple(members))

    def keys(self, msp_id: str) -> dict[str, bytes]:
        """An organisation's post-quantum keys by their ids."""
        return {
            hashlib.sha256(each.public).hexdigest(): each.public for each in self.file.keys if each.msp_id == msp_id
        }


def _configuration(trusted: TrustedConfiguration) -> Configuration:
    return Configuration(
        trusted.block,
        trusted.quorum,
        tuple(Consenter(each.number, each.msp_id, each.certificate.encode()) for each in trusted.consenters),
        tuple(
            Member(
                each.msp_id,
                tuple(pem.encode() for pem in each.authorities),
                tuple(pem.encode() for pem in each.intermediates),
                frozenset(int(serial, 16) for serial in each.revoked),
                each.units,
            )
            for each in trusted.members
        ),
        _rule(trusted.endorsement),
    )


def _rule(trusted: TrustedRule) -> Rule:
    return Rule(trusted.msp_id, trusted.role, trusted.out_of, tuple(_rule(each) for each in trusted.rules))


def _require_certificates(configuration: Configuration) -> None:
    pems = [each.certificate for each in configuration.consenters]
    pems += [pem for each in configuration.members for pem in (*each.authorities, *each.intermediates)]
    for pem in pems:
        try:
            load(pem)
        except ValueError:
            raise UnfitError(f"a certificate of the configuration of block {configuration.block} is none") from None
