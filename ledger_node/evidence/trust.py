"""The trust file: whom to believe on a channel, by the word of one organisation's own peer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from ledger_node.errors import BadRequest
from ledger_node.ledger.interface import Witness
from ledger_node.verify.canonical import MalformedError
from ledger_node.verify.format import (
    ML_DSA_65,
    TIME_FORMAT,
    Trust,
    TrustedConfiguration,
    TrustedConsenter,
    TrustedKey,
    TrustedMember,
    TrustedRule,
    read,
    write,
)
from network.proofs.configuration import Configuration, Member, Rule


def trust_file(witness: Witness, msp_id: str, keys: Mapping[str, bytes], now: dt.datetime) -> bytes:
    """The trust file, canonical JSON.

    Args:
        witness: of the ledger.
        msp_id: whose peer tells it.
        keys: the post-quantum keys that are known, by MSP id.
        now: when it is taken.

    Raises: LedgerError.
    """
    told = witness.trust()
    file = Trust(
        chaincode=witness.chaincode,
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


def with_keys(trust_file: bytes, others: Sequence[bytes]) -> bytes:
    """A trust file, with the keys besides that other organisations name as their own in theirs.

    Of each file only the key of the organisation whose peer told it is taken.

    Raises: BadRequest when a file is no trust file, or one of another channel.
    """
    own = _read(trust_file)
    keys = {(each.msp_id, each.public): each for each in own.keys}
    for other in map(_read, others):
        if other.genesis != own.genesis:
            text = f"the trust file of {other.taken_by} is of another channel"
            raise BadRequest(text, "Ask for that of this channel.")
        keys |= {(each.msp_id, each.public): each for each in other.keys if each.msp_id == other.taken_by}
    return write(own.model_copy(update={"keys": [keys[place] for place in sorted(keys)]}))


def _read(content: bytes) -> Trust:
    try:
        return read(Trust, content, "a trust file")
    except MalformedError as error:
        raise BadRequest(str(error), "Ask its organisation for: ledger-node channel trust") from error


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
