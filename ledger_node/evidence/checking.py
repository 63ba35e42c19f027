"""A node checks what it hands out by its own verifier, so that nobody is sent away with evidence that does not hold."""

from __future__ import annotations

from ledger_node.ledger.interface import LedgerError
from ledger_node.verify.canonical import MalformedError
from ledger_node.verify.checking import UncheckableError, read_case, report
from ledger_node.verify.format import BUNDLE_BYTES_MAX
from ledger_node.verify.report import INVALID
from network.proofs.policies import UnfitError


class UnfitEvidenceError(LedgerError):
    """What was gathered would be refused by whoever checks it."""

    exit_code = 2


def checked(bundle: bytes, trust: bytes) -> bytes:
    """The same bundle.

    Args:
        bundle: as it is to be handed out.
        trust: the trust file as this node would give it.

    Raises: UnfitEvidenceError when it is larger than verifiers read, or a step finds it INVALID.
    """
    if len(bundle) > BUNDLE_BYTES_MAX:
        text = f"the evidence has {len(bundle)} bytes, and verifiers read {BUNDLE_BYTES_MAX} at most"
        raise UnfitEvidenceError(text, remedy="Leave blocks out: --blocks own or none; or ask for single documents.")
    try:
        steps = report(read_case(bundle, trust, ())).steps
    except (MalformedError, UncheckableError, UnfitError) as error:
        raise UnfitEvidenceError(f"the evidence cannot be checked: {error}") from error
    for step in steps:
        if step.verdict == INVALID:
            text = f"the evidence that was gathered does not hold: {step.checks}: {step.reason}"
            raise UnfitEvidenceError(text, remedy="Try again; if it stays, look at the peers: ledger-node status")
    return bundle
