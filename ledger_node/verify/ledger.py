"""Steps 4 and 7 to 10: what the members of the channel have signed of the transactions and their blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from ledger_node.verify.case import Case, OtherSpelling
from ledger_node.verify.format import BlockEvidence, TransactionEvidence
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, worst
from network.proofs import answers, ordering, transactions
from network.proofs.answers import Answer
from network.proofs.configuration import Configuration
from network.proofs.framing import is_envelope
from network.proofs.messages import UnreadableError
from network.proofs.ordering import BlockSignature, SignedHeader
from network.proofs.transactions import SignedTransaction

BEFORE_ALL = "the trust file knows no configuration before block {}"


def channel(case: Case) -> Outcome:
    """Step 4: the bundle speaks of the channel and the contract that are trusted."""
    bundle, trust = case.bundle, case.believed.file
    for what in ("channel", "chaincode", "genesis"):
        said, trusted = getattr(bundle, what), getattr(trust, what)
        if said != trusted:
            return Outcome(INVALID, f"the {what} is {said}, and the trust file's is {trusted}")
    return Outcome(VALID, f"{trust.channel}, by the word of {trust.taken_by} at {trust.taken_at}")


def endorsed(case: Case) -> Outcome:
    """Step 7: sent and endorsed as the policy wants, each in the configuration of its time."""
    return _each_transaction(case, _endorsed, "signed by their senders and by enough peers")


def _endorsed(case: Case, given: TransactionEvidence, configuration: Configuration) -> Outcome:
    signed = case.transactions[given.id]
    if isinstance(signed, str):
        verdict = ERROR if isinstance(signed, OtherSpelling) else INVALID
        return Outcome(verdict, f"transaction {given.id}: {signed}")
    for what, said, wanted in (
        ("id", signed.id, given.id),
        ("channel", signed.channel, case.believed.file.channel),
        ("chaincode", signed.chaincode, case.believed.file.chaincode),
    ):
        if said != wanted:
            return Outcome(INVALID, f"transaction {given.id}: its {what} is {said}, not {wanted}")
    text = transactions.signing_fault(signed, configuration)
    return Outcome(INVALID, f"transaction {given.id}: {text}") if text else Outcome(VALID, "")


def included(case: Case) -> Outcome:
    """Step 8: each transaction stands where it is said to stand, in a block whose content fits its header."""
    blocks = {each.number: each for each in case.bundle.blocks}
    outcomes = []
    if len(blocks) != len(case.bundle.blocks) or len(case.transactions) != len(case.bundle.transactions):
        outcomes.append(Outcome(INVALID, "a block or a transaction is there twice"))
    for number in sorted(set(blocks) - {each.block for each in case.bundle.transactions}):
        outcomes.append(Outcome(INVALID, f"block {number} holds no transaction of the bundle"))
    outcomes += [_content(each) for each in blocks.values()]
    outcomes += [_included(each, blocks.get(each.block)) for each in case.bundle.transactions]
    outcomes += [_follows(case, each) for each in case.bundle.transactions]
    return worst(outcomes, f"{len(case.bundle.transactions)} in {len(blocks)} blocks")


def _content(block: BlockEvidence) -> Outcome:
    if block.data is not None and hashlib.sha256(b"".join(block.data)).hexdigest() != block.data_hash:
        return Outcome(INVALID, f"block {block.number}: its content does not fit its header")
    if not all(is_envelope(each) for each in block.data or ()):
        return Outcome(INVALID, f"block {block.number}: its content is cut into pieces that are no envelopes")
    return Outcome(VALID, "")


def _included(given: TransactionEvidence, block: BlockEvidence | None) -> Outcome:
    if block is None:
        return Outcome(INVALID, f"transaction {given.id}: block {given.block} is not there")
    if block.data is None:
        return Outcome(SKIPPED, f"the content of block {given.block} was left out, so as not to show its neighbours")
    if given.index >= len(block.data) or block.data[given.index] != given.envelope:
        return Outcome(INVALID, f"transaction {given.id} is not at place {given.index} of block {given.block}")
    return Outcome(VALID, "")


def _follows(case: Case, given: TransactionEvidence) -> Outcome:
    """What a transaction has read was written before it: no earlier place can be its own."""
    signed = case.transactions[given.id]
    if isinstance(signed, SignedTransaction):
        for key, version in signed.reads.items():
            if version is not None and version >= (given.block, given.index):
                text = f"transaction {given.id} rests on a value of {key} that was written later, in block {version[0]}"
                return Outcome(INVALID, text)
    return Outcome(VALID, "")


def ordered(case: Case) -> Outcome:
    """Step 9: each block's header is signed by a quorum of the organisations that ordered then."""
    outcomes = [_ordered(case, each) for each in case.bundle.blocks]
    quorum = case.believed.newest.quorum
    return worst(outcomes, f"{len(case.bundle.blocks)} blocks, each by at least {quorum} organisations' orderers")


def _ordered(case: Case, block: BlockEvidence) -> Outcome:
    configuration = case.believed.in_force(block.number)
    if configuration is None:
        return Outcome(ERROR, BEFORE_ALL.format(block.number))
    header = SignedHeader(
        block.number,
        bytes.fromhex(block.previous_hash),
        bytes.fromhex(block.data_hash),
        block.value,
        tuple(BlockSignature(each.header, each.signature) for each in block.signatures),
    )
    newest = case.believed.newest is configuration
    if text := ordering.signing_fault(header, configuration):
        hint = " (or the consenters have changed since the trust file was taken)" if newest else ""
        return Outcome(INVALID, f"block {block.number}: {text}{hint}")
    said = ordering.signed_configuration(header)
    if said in (configuration.block, block.number):
        return Outcome(VALID, "")
    if newest and said is not None and configuration.block < said < block.number:
        text = f"block {block.number} follows the configuration of block {said}, which the trust file does not know"
        return Outcome(ERROR, f"{text}: take it anew")
    return Outcome(INVALID, f"block {block.number} names another configuration than the trust file does")


def committed(case: Case) -> Outcome:
    """Step 10: more than half of the organisations have signed that each transaction counts."""
    return _each_transaction(case, _committed, "by the signed word of more than half of the organisations")


def _committed(case: Case, given: TransactionEvidence, _: Configuration) -> Outcome:
    try:
        question = answers.read_question(given.question)
    except UnreadableError as error:
        return Outcome(INVALID, f"transaction {given.id}: {error}")
    wanted = (answers.FUNCTION, case.believed.file.channel.encode(), given.id.encode())
    if (question.channel, question.chaincode, question.arguments) != (wanted[1].decode(), answers.QUERY, wanted):
        return Outcome(INVALID, f"transaction {given.id}: the peers were asked something else")
    told = [Answer(each.payload, each.endorser, each.signature) for each in given.answers]
    faults = [answers.majority_fault(told, question, given.envelope, each) for each in case.believed.since(given.block)]
    if not all(faults):
        return Outcome(VALID, "")
    hint = "or the organisations have changed since the trust file was taken"
    # What peers answer holds the envelope: where that is not read here, no answer is.
    verdict = ERROR if isinstance(case.transactions[given.id], OtherSpelling) else INVALID
    return Outcome(verdict, f"transaction {given.id}: {faults[-1]} ({hint})")


def _each_transaction(
    case: Case, check: Callable[[Case, TransactionEvidence, Configuration], Outcome], all_valid: str
) -> Outcome:
    outcomes = []
    for each in case.bundle.transactions:
        configuration = case.believed.in_force(each.block)
        if configuration is None:
            outcomes.append(Outcome(ERROR, BEFORE_ALL.format(each.block)))
        else:
            outcomes.append(check(case, each, configuration))
    return worst(outcomes, f"{len(outcomes)} {all_valid}")
