"""Scrubbing: the files of own documents are read again from the disk and compared with the ledger's commitments.

1. The documents whose files were checked longest ago come first; a round is over when all were checked since it began.
2. A file's digest, with the document's salt, must give the commitment that the ledger holds (through the read model);
   nothing follows from the file's name.
3. The page cache is bypassed, so that the disk answers and not the memory of a former reading.
4. What does not fit is read once more, here, by the standard library; only then it is a finding. A document whose file
   is right again closes its findings.
5. At the end of a round the vault is searched for files that belong to no document.
Where a round stands is in the state database: a scrub that was stopped, or killed, goes on with what it had left. This
room changes no file and writes nothing to the ledger.
"""

from __future__ import annotations

import fcntl
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy import BigInteger
from sqlmodel import Field

from ledger_node.database import Database, StateTable, table_of, upsert
from ledger_node.documents.findings import DAMAGE, Evidence, FindingKind, Findings
from ledger_node.documents.index import Documents, OwnDocument
from ledger_node.documents.vault import Vault
from ledger_node.errors import ConfigError
from ledger_node.hashing import Hashed, UnreadableError, commitment
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.past_cache import HashFiles, past_cache
from ledger_node.readmodel import ReadModel

BATCH_DOCUMENTS_MAX = 512
BATCH_BYTES_MAX = 256 * 1024 * 1024
EXTRA_FILES_MAX = 1000
EXTRA_AGE_SECONDS_MIN = 3600.0
"""A younger file may be of an upload whose document is about to be stored."""
LOOK_SECONDS = 0.5
LOCK_NAME = "scrub.lock"

log = structlog.get_logger(__name__)


class ScrubRow(StateTable, table=True):
    """One row: the last round; `finished_at` is 0 while it goes on."""

    __tablename__ = "scrub"
    id: int = Field(primary_key=True)
    started_at: float
    finished_at: float
    documents: int = Field(sa_type=BigInteger)
    size_bytes: int = Field(sa_type=BigInteger)


@dataclass(frozen=True, slots=True)
class Round:
    """A round over the whole vault: when it began and ended (seconds since 1970, 0 while it goes on), what it read."""

    started_at: float
    finished_at: float = 0.0
    documents: int = 0
    size_bytes: int = 0

    def is_recent(self, now: float, round_seconds: float) -> bool:
        """Whether it is over and the next one is not due; one of the future was begun by a clock that was wrong."""
        return bool(self.finished_at) and self.started_at <= now < self.started_at + round_seconds


class Scrubs:
    """The checkpoint of scrubbing, in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> Round | None:
        """The last round, finished or not; None before the first."""
        with self._database.read() as session:
            row = session.get(ScrubRow, 0)
        return None if row is None else Round(row.started_at, row.finished_at, row.documents, row.size_bytes)

    def put(self, round: Round, documents: Documents, checked: Sequence[str] = (), at: float = 0.0) -> None:
        """Note where a round stands, together with the documents that were checked for it just now."""
        row = {name: getattr(round, name) for name in Round.__slots__}
        with self._database.write() as session:
            upsert(session.connection(), table_of(ScrubRow), [{"id": 0, **row}])
            if checked:
                session.connection().execute(documents.checked(checked, at))


@dataclass(slots=True)
class ScrubReport:
    """What one pass found: `damage` and `extra` are what is wrong now, `repaired` counts findings that were closed.

    `unconfirmed` counts documents that the ledger does not show (yet): they were compared with the node's own index.
    """

    documents: int = 0
    size_bytes: int = 0
    unconfirmed: int = 0
    repaired: int = 0
    damage: list[Evidence] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    round_finished: bool = False


@dataclass(frozen=True, slots=True)
class ScrubLimits:
    """How much the background schedule reads in one pass, and how far passes and rounds are apart at least."""

    pass_bytes_max: int
    pass_pause_seconds: float
    round_seconds: float


class Scrubber:
    """The scrubber of one node.

    Args:
        vault: whose files are read.
        documents: which files there should be, and their salts.
        readmodel: the ledger's commitments.
        findings: where damage is kept.
        scrubs: the checkpoint.
        now: seconds since 1970.
        folder: the node's folder, where a lock keeps a second scrub away.
        limits: of the background schedule.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        documents: Documents,
        readmodel: ReadModel,
        findings: Findings,
        scrubs: Scrubs,
        now: Callable[[], float],
        folder: Path,
        limits: ScrubLimits,
    ) -> None:
        self._vault = vault
        self._documents = documents
        self._readmodel = readmodel
        self._findings = findings
        self._scrubs = scrubs
        self._now = now
        self._lock = folder / LOCK_NAME
        self._limits = limits
        self._again = past_cache(HashlibBackend().hash_batch)

    def run(self, hash_files: HashFiles, stop: threading.Event) -> None:
        """Scrub on schedule until `stop` is set.

        Args:
            hash_files: as of `scrub`.
        """
        rests_since, last = -math.inf, None
        while not stop.wait(LOOK_SECONDS):
            now = self._now()
            # A clock that was set back ends every pause.
            rests = rests_since <= now < rests_since + self._limits.pass_pause_seconds
            # A round that is recent stays so until its time, whoever begins another one by hand meanwhile.
            if rests or (last and last.is_recent(now, self._limits.round_seconds)):
                continue
            last = self._scrubs.last()
            if last and last.is_recent(now, self._limits.round_seconds):
                continue
            try:
                report = self.scrub(hash_files, stop, self._limits.pass_bytes_max)
                if report.documents:
                    log.info(
                        "scrubbed", documents=report.documents, bytes=report.size_bytes, damaged=len(report.damage)
                    )
            except ScrubRunning:
                log.info("another process scrubs the vault")
            rests_since = self._now()

    def left(self) -> tuple[int, int]:
        """How many documents, and bytes, the round that goes on has left; all of them when none does."""
        now = self._now()
        return self._documents.unchecked(_continued(self._scrubs.last(), now).started_at, now)

    def scrub(
        self,
        hash_files: HashFiles,
        stop: threading.Event,
        bytes_max: int | None = None,
        progress: Callable[[ScrubReport], None] = lambda report: None,
    ) -> ScrubReport:
        """Go on with the round, or begin one, until it is over, the budget is used up or `stop` is set.

        Args:
            hash_files: hashes files by their paths, such as `past_cache(...)`.
            stop: ends it after the batch at hand.
            bytes_max: what may be read; one document is always checked. None for no bound.
            progress: hears the report so far after every batch.

        Returns: what was found.

        Raises: ScrubRunning when another process scrubs this vault.
        """
        with self._alone():
            round = _continued(self._scrubs.last(), self._now())
            report = ScrubReport()
            while not stop.is_set():
                waiting = self._documents.oldest_checked(round.started_at, BATCH_DOCUMENTS_MAX, self._now())
                if not waiting:
                    self._search_extra(report)
                    self._forget_erased()
                    report.round_finished = True
                    self._scrubs.put(_later(round, report, self._now()), self._documents)
                    break
                left = BATCH_BYTES_MAX if bytes_max is None else min(BATCH_BYTES_MAX, bytes_max - report.size_bytes)
                batch = _fitting(waiting, left, at_least=0 if report.documents and bytes_max else 1)
                if not batch:
                    break
                self._check(batch, hash_files, report)
                checked = [document.document_id for document in batch]
                self._scrubs.put(_later(round, report), self._documents, checked, self._now())
                progress(report)
            return report

    def _check(self, batch: Sequence[OwnDocument], hash_files: HashFiles, report: ScrubReport) -> None:
        commitments = self._readmodel.commitments([document.document_id for document in batch])
        answers = hash_files([self._vault.path(document.digest) for document in batch])
        right: list[str] = []
        for document, answer in zip(batch, answers, strict=True):
            expected = commitments.get(document.document_id)
            report.unconfirmed += expected is None
            expected = expected or document.commitment
            evidence = self._compare(document, expected, answer)
            if evidence is None:
                right.append(document.document_id)
            else:
                self._raise(evidence, report)
            report.documents += 1
            report.size_bytes += document.size_bytes
        report.repaired += self._findings.close(DAMAGE, right)

    def _compare(self, document: OwnDocument, expected: str, answer: Hashed | UnreadableError) -> Evidence | None:
        """What is wrong with a document; None when nothing is, or when it has been erased meanwhile."""
        if isinstance(answer, Hashed) and commitment(document.salt, answer.digest).hex() == expected:
            return None
        path = self._vault.path(document.digest)
        (answer,) = self._again([path])
        if self._documents.get(document.document_id) is None:
            return None
        file = self._vault.place_of(document.digest)
        if isinstance(answer, UnreadableError):
            missing = isinstance(answer.__cause__, FileNotFoundError)
            kind = FindingKind.MISSING if missing else FindingKind.UNREADABLE
            return Evidence(kind, document.document_id, file, expected)
        recomputed = commitment(document.salt, answer.digest).hex()
        if recomputed == expected:
            return None
        size_bytes, backend = answer.size_bytes, answer.backend
        return Evidence(FindingKind.DAMAGED, document.document_id, file, expected, recomputed, size_bytes, backend)

    def _raise(self, evidence: Evidence, report: ScrubReport) -> None:
        """Keep what is wrong; what was wrong in another way before is wrong in this way now."""
        others = [kind for kind in DAMAGE if kind is not evidence.kind]
        self._findings.close(others, [evidence.document_id])
        if self._findings.open(evidence):
            log.error("a document of the vault is not as the ledger knows it", **_plain(evidence))
        report.damage.append(evidence)

    def _search_extra(self, report: ScrubReport) -> None:
        """Find files that belong to no document."""
        aged, places = self._now() - EXTRA_AGE_SECONDS_MIN, self._vault.files()
        while some := list(islice(places, BATCH_DOCUMENTS_MAX)):
            digests = {place: _digest_of(place) for place in some}
            known = self._documents.known([digest for digest in digests.values() if digest])
            for place, digest in digests.items():
                at_home = digest is not None and digest in known and self._vault.place_of(digest) == place
                if not at_home and self._vault.changed_at(place) < aged and len(report.extra) < EXTRA_FILES_MAX:
                    report.extra.append(place)
        for name in report.extra:
            self._findings.open(Evidence(FindingKind.EXTRA, file=name))
        self._findings.close_files_except(FindingKind.EXTRA, report.extra)

    def _forget_erased(self) -> None:
        """Close the findings about documents that have been erased since."""
        damaged = self._findings.open_documents(DAMAGE)
        self._findings.close(DAMAGE, [each for each in damaged if self._documents.get(each) is None])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise ScrubRunning(
                "this vault is being scrubbed already", "Wait until that scrub, or the node's own, has ended."
            ) from None
        finally:
            os.close(handle)


class ScrubRunning(ConfigError):
    """Another process scrubs the same vault."""


def _fitting(waiting: Sequence[OwnDocument], bytes_max: int, at_least: int) -> list[OwnDocument]:
    """The first documents that together have no more bytes than that."""
    batch: list[OwnDocument] = []
    for document in waiting:
        bytes_max -= document.size_bytes
        if bytes_max < 0 and len(batch) >= at_least:
            break
        batch.append(document)
    return batch


def _continued(last: Round | None, now: float) -> Round:
    """The round that goes on, or a fresh one; one that was begun by a clock that was wrong is begun again."""
    return last if last and not last.finished_at and last.started_at <= now else Round(now)


def _later(round: Round, report: ScrubReport, finished_at: float = 0.0) -> Round:
    documents, size_bytes = round.documents + report.documents, round.size_bytes + report.size_bytes
    return Round(round.started_at, finished_at, documents, size_bytes)


def _digest_of(name: str) -> bytes | None:
    try:
        return bytes.fromhex(name.rpartition("/")[2])
    except ValueError:
        return None


def _plain(evidence: Evidence) -> dict[str, str]:
    return {"kind": evidence.kind.value, "document_id": evidence.document_id, "file": evidence.file}
