"""All steps in order. What cannot be read ends the first one, and the others are skipped and say so."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ledger_node.verify import documents, issuer, ledger, records
from ledger_node.verify.believed import Believed
from ledger_node.verify.canonical import MalformedError, decode
from ledger_node.verify.case import Case, Given
from ledger_node.verify.format import BUNDLE_BYTES_MAX, BUNDLE_FORMAT, TRUST_BYTES_MAX, Bundle, Jws, Trust, read
from ledger_node.verify.report import ERROR, INVALID, SKIPPED, VALID, Outcome, Report, Step, printable
from network.proofs.policies import UnfitError

STEPS: tuple[tuple[str, str, Callable[[Case], Outcome]], ...] = (
    ("classical", "signed by its issuer (ES256)", issuer.classical),
    ("post-quantum", "signed by its issuer (ML-DSA-65)", issuer.post_quantum),
    ("channel", "of the trusted channel and contract", ledger.channel),
    ("file", "files untouched", documents.files),
    ("commitment", "commitments open", documents.commitments),
    ("endorsed", "transactions signed and endorsed", ledger.endorsed),
    ("included", "transactions in their blocks", ledger.included),
    ("ordered", "blocks signed by a quorum of orderers", ledger.ordered),
    ("committed", "committed as valid", ledger.committed),
    ("people", "who recorded and attested", records.people),
    ("status", "status", records.status),
)
READ = ("bundle", "bundle and trust file can be read")


class UncheckableError(Exception):
    """A file is larger than what is read, or of a version that this verifier does not know."""


def verify(files: Sequence[Path], bundle: Path, trust: Path) -> Report:
    """Check everything.

    Args:
        files: the documents.
        bundle: the evidence.
        trust: whom to believe, got by another way than the bundle.
    """
    try:
        jws_bytes, trust_bytes = _content(bundle, BUNDLE_BYTES_MAX), _content(trust, TRUST_BYTES_MAX)
        case = read_case(jws_bytes, trust_bytes, [_given(path) for path in files])
    except MalformedError as error:
        return _unread(Outcome(INVALID, str(error)))
    except (OSError, UncheckableError, UnfitError) as error:
        return _unread(Outcome(ERROR, str(error)))
    return report(case)


def read_case(jws_bytes: bytes, trust_bytes: bytes, files: Sequence[Given]) -> Case:
    """Both files as they are to be checked.

    Raises: MalformedError, UncheckableError, UnfitError.
    """
    try:
        believed = Believed(read(Trust, trust_bytes, "the trust file"))
    except MalformedError as error:
        raise UnfitError(str(error)) from error
    jws = read(Jws, jws_bytes, "the bundle")
    _require_version(decode(jws.payload, "the bundle's payload"))
    return Case(jws, read(Bundle, jws.payload, "the bundle's payload"), believed, files)


def report(case: Case) -> Report:
    """All steps."""
    subject = case.bundle.subject
    outcomes = [Outcome(VALID, f"{subject.kind} {subject.id}"), *(_outcome(check, case) for _, _, check in STEPS)]
    return _steps(outcomes)


def _outcome(check: Callable[[Case], Outcome], case: Case) -> Outcome:
    try:
        return check(case)
    except Exception as error:  # noqa: BLE001 - whatever a forger made that nobody foresaw: a verdict, and never VALID
        return Outcome(ERROR, f"this verifier could not check it, please report it: {type(error).__name__}: {error}")


def _unread(outcome: Outcome) -> Report:
    return _steps([outcome, *(Outcome(SKIPPED, "nothing could be read") for _ in STEPS)])


def _steps(outcomes: Sequence[Outcome]) -> Report:
    named = [READ, *((name, checks) for name, checks, _ in STEPS)]
    return Report(
        tuple(
            Step(number, name, checks, outcome.verdict, printable(outcome.reason))
            for number, ((name, checks), outcome) in enumerate(zip(named, outcomes, strict=True), 1)
        )
    )


def _require_version(payload: Any) -> None:
    said = payload.get("version") if isinstance(payload, dict) else None
    if said != 1 and type(said) is int and payload.get("format") == BUNDLE_FORMAT:
        raise UncheckableError(f"the bundle is of version {said}, and this verifier knows version 1")


def _content(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise UncheckableError(f"{path} has more than {bytes_max} bytes, which are not read")
    return content


def _given(path: Path) -> Given:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            return Given(str(path), fault="it is no file")
        with path.open("rb") as stream:
            return Given(str(path), hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        return Given(str(path), fault=error.strerror or str(error))
