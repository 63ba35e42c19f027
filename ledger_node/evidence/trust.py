"""The trust file: whom to believe on a channel, by the word of one organisation's own peer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from ledger_node.ledger.interface import Witness
from ledger_node.verify.format import (
    ML_DSA_65,
    TIME_FORMAT,
    Trust,
    TrustedConfiguration,
    TrustedConsenter,
    TrustedKey,
    TrustedMember,
    TrustedRule,
    write,
)
from network.proofs.configuration import Configuration, Member, Rule


def trust_file(witness: Witness, msp_id: str, chaincode: str, keys: Mapping[str, bytes], now: dt.datetime) -> bytes:
    """The trust file, canonical JSON.

    Args:
        witness: of the ledger.
        msp_id: whose peer tells it.
        chaincode: the contract's name.
        keys: the post-quantum keys that are known, by MSP id.
        now: when it is taken.

    Raises: LedgerError.
    """
    told = witness.trust()
    file = Trust(
        chaincode=chaincode,
        channel=told.channel,
        configurations=[_configuration(each) for each in told.configurations],
        format="ledger-node-trust",
        genesis=told.genesis.hex(),
        keys=[TrustedKey.model_construct(alg=ML_DSA_65, msp_id=each, public=keys[each]) for each in sorted(keys)],
        taken_at=now.strftime(TIME_FORMAT),
        taken_by=msp_id,
        version=1,
    )
    return write(file)


def _configuration(given: Configuration) -> TrustedConfiguration:
    return TrustedConfiguration(
        block=given.block,
        consenters=[
            TrustedConsenter(certificate=each.certificate.decode(), msp_id=each.msp_id, number=each.number)
            for each in given.consenters
        ],
        endorsement=_rule(given.endorsement),
        members=[_member(each) for each in given.members],
        quorum=given.quorum,
    )


def _member(given: Member) -> TrustedMember:
    return TrustedMember(
        authorities=[each.decode() for each in given.authorities],
        intermediates=[each.decode() for each in given.intermediates],
        msp_id=given.msp_id,
        revoked=sorted(f"{serial:x}" for serial in given.revoked),
        units=dict(given.units),
    )


def _rule(given: Rule) -> TrustedRule:
    rules = [_rule(each) for each in given.rules]
    return TrustedRule(msp_id=given.msp_id, out_of=given.out_of, role=given.role, rules=rules)
