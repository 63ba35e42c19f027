"""The vault against the ledger: what is damaged, missing or extra is found, once, and nothing that is right ever is."""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from consortium import eventually, kept
from sender import Crash
from sqlalchemy import update
from vault_world import Safe

from ledger_node.database import table_of
from ledger_node.documents import scrub
from ledger_node.documents.index import OwnDocument, OwnDocumentRow
from ledger_node.documents.scrub import EXTRA_AGE_SECONDS_MIN, Round, ScrubLimits, ScrubRunning, Scrubs
from ledger_node.hashing import Hashed, UnreadableError, commitment, digest
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.past_cache import past_cache

NEVER = threading.Event()


@pytest.fixture
def safe(tmp_path: Path) -> Iterator[Safe]:
    safe = Safe(tmp_path)
    yield safe
    safe.close()


def spoil(path: Path) -> None:
    """One bit turns over on the disk."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def test_a_vault_as_the_ledger_knows_it_has_no_finding(safe: Safe) -> None:
    kept = safe.keep(b"one", b"two", b"three", b"one")
    report = safe.scrubber().scrub(safe.hash_files, NEVER)
    assert (report.documents, report.size_bytes, report.round_finished) == (4, 14, True)
    assert (report.damage, report.extra, report.unconfirmed, report.repaired) == ([], [], 0, 0)
    assert sorted(safe.read) == sorted(safe.path(each) for each in kept)
    assert safe.open_findings() == []
    assert Scrubs(safe.sender.database).last() == Round(safe.time, safe.time, 4, 14)


def test_a_damaged_document_is_found_with_its_evidence_and_closed_when_it_is_right_again(safe: Safe) -> None:
    bad, _good = safe.keep(b"bad", b"good")
    spoil(safe.path(bad))
    for _ in range(2):
        report = safe.scrubber().scrub(safe.hash_files, NEVER)
        assert [each.document_id for each in report.damage] == [bad.document_id]
        safe.time += 1
    (row,), total = safe.findings.list()
    assert total == 1
    found = commitment(bad.salt, digest(bytes([b"b"[0] ^ 1]) + b"ad")).hex()
    shown = {name: row[name] for name in ("kind", "document_id", "expected", "found", "size_bytes", "backend", "state")}
    assert shown == {
        "kind": "damaged",
        "document_id": bad.document_id,
        "expected": bad.commitment,
        "found": found,
        "size_bytes": 3,
        "backend": "hashlib",
        "state": "open",
    }
    safe.path(bad).write_bytes(b"bad")
    report = safe.scrubber().scrub(safe.hash_files, NEVER)
    assert (report.damage, report.repaired) == ([], 1)
    assert safe.open_findings() == []
    assert safe.findings.list()[0][0]["closed_at"] != ""


def test_missing_and_unreadable_documents_are_found_as_what_they_are(safe: Safe) -> None:
    missing, unreadable, _good = safe.keep(b"missing", b"unreadable", b"good")
    safe.path(missing).unlink()
    safe.path(unreadable).unlink()
    os.mkfifo(safe.path(unreadable))  # nobody waits for its other end
    safe.scrubber().scrub(safe.hash_files, NEVER)
    expected = sorted([("missing", missing.document_id), ("unreadable", unreadable.document_id)])
    assert safe.open_findings() == expected
    safe.path(unreadable).unlink()
    safe.time += 1
    safe.scrubber().scrub(safe.hash_files, NEVER)
    assert safe.open_findings() == sorted([("missing", missing.document_id), ("missing", unreadable.document_id)])


def test_files_under_each_others_names_are_damage_whatever_they_are_called(safe: Safe) -> None:
    one, two = safe.keep(b"one", b"two")
    safe.path(one).write_bytes(b"two")
    safe.path(two).write_bytes(b"one")
    safe.scrubber().scrub(safe.hash_files, NEVER)
    assert safe.open_findings() == sorted(("damaged", each.document_id) for each in (one, two))


def test_a_file_swapped_together_with_the_nodes_own_index_is_found_by_the_ledgers_commitment(safe: Safe) -> None:
    (document,) = safe.keep(b"an invoice of 10,000.00 EUR")
    forged = kept(safe.vault, b"an invoice of 90,000.00 EUR")
    table = table_of(OwnDocumentRow)
    with safe.sender.database.write() as session:
        session.connection().execute(update(table).values(digest=forged.digest))
    safe.scrubber().scrub(safe.hash_files, NEVER)
    assert safe.open_findings() == [("damaged", document.document_id)]


def test_what_a_backend_gets_wrong_is_hashed_again_before_anybody_hears_of_it(safe: Safe) -> None:
    bad, _good = safe.keep(b"bad", b"good")
    spoil(safe.path(bad))

    def wrong(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        answers: list[Hashed | UnreadableError] = [Hashed(b"\x00" * 32, 3, "gpu:broken")]
        return answers + [UnreadableError("a machine that does not see the vault")] * (len(paths) - 1)

    safe.scrubber().scrub(wrong, NEVER)
    assert safe.open_findings() == [("damaged", bad.document_id)]


def test_a_budget_is_kept_and_the_next_pass_goes_on_with_what_was_checked_longest_ago(safe: Safe) -> None:
    kept = safe.keep(*(b"%03d" % number for number in range(5)))
    order = [safe.path(each) for each in sorted(kept, key=lambda each: each.document_id)]
    reports = [safe.scrubber().scrub(safe.hash_files, NEVER, 7) for _ in range(3)]
    assert safe.read == order
    assert [(each.documents, each.size_bytes, each.round_finished) for each in reports] == [
        (2, 6, False),
        (2, 6, False),
        (1, 3, True),
    ]
    (fresh,) = safe.keep(b"fresh")
    safe.time += 1
    safe.scrubber().scrub(safe.hash_files, NEVER, 1)
    assert safe.read[5:] == [safe.path(fresh)]  # never checked comes before all that was


def test_a_document_larger_than_the_budget_is_checked_all_the_same(safe: Safe) -> None:
    safe.keep(b"larger than one byte")
    assert safe.scrubber().scrub(safe.hash_files, NEVER, 1).documents == 1


def test_a_killed_scrub_goes_on_where_it_was(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub, "BATCH_DOCUMENTS_MAX", 2)
    kept = safe.keep(*(b"%d" % number for number in range(7)))
    spoil(safe.path(kept[3]))

    def dies(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        if len(safe.read) >= 4:
            raise Crash
        return safe.hash_files(paths)

    with pytest.raises(Crash):
        safe.scrubber().scrub(dies, NEVER)
    safe.time += 100
    report = safe.scrubber().scrub(safe.hash_files, NEVER)
    assert (report.documents, report.round_finished) == (3, True)
    assert sorted(safe.read) == sorted(safe.path(each) for each in kept)
    assert safe.open_findings() == [("damaged", kept[3].document_id)]
    assert Scrubs(safe.sender.database).last() == Round(safe.time - 100, safe.time, 7, 7)


def test_a_stopped_scrub_ends_after_its_batch(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub, "BATCH_DOCUMENTS_MAX", 2)
    safe.keep(*(b"%d" % number for number in range(5)))
    stop = threading.Event()
    report = safe.scrubber().scrub(safe.hash_files, stop, None, lambda _: stop.set())
    assert (report.documents, report.round_finished) == (2, False)
    assert safe.scrubber().left() == (3, 3)


def test_files_that_belong_to_no_document_are_found_once_they_are_old_enough(safe: Safe) -> None:
    (document,) = safe.keep(b"one")
    orphan = safe.vault.path(kept(safe.vault, b"an upload that was killed").digest)
    astray = safe.path(document).with_name("notes.txt")
    astray.write_text("what is this?")
    coming = safe.folder / "vault" / "incoming" / "half"
    coming.write_text("an upload under way")
    safe.time = orphan.stat().st_mtime + 1
    assert safe.scrubber().scrub(safe.hash_files, NEVER).extra == []
    safe.time += EXTRA_AGE_SECONDS_MIN
    report = safe.scrubber().scrub(safe.hash_files, NEVER)
    assert report.extra == sorted(path.relative_to(safe.folder / "vault").as_posix() for path in (orphan, astray))
    assert report.damage == []
    assert safe.findings.open_counts()["extra"] == 2
    astray.unlink()
    safe.time += 1
    safe.scrubber().scrub(safe.hash_files, NEVER)
    assert safe.findings.open_counts()["extra"] == 1


def test_a_document_that_is_erased_while_it_is_looked_at_is_no_finding(safe: Safe) -> None:
    (document,) = safe.keep(b"to be forgotten")

    def erased(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        erase(safe, document)
        return safe.hash_files(paths)

    assert safe.scrubber().scrub(erased, NEVER).damage == []
    assert safe.open_findings() == []


def test_a_finding_about_a_document_that_was_erased_is_closed(safe: Safe) -> None:
    (document,) = safe.keep(b"damaged, then forgotten")
    spoil(safe.path(document))
    safe.scrubber().scrub(safe.hash_files, NEVER)
    erase(safe, document)
    safe.time += 1
    safe.scrubber().scrub(safe.hash_files, NEVER)
    assert safe.open_findings() == []


def erase(safe: Safe, document: OwnDocument) -> None:
    safe.vault.delete(document.digest)
    with safe.sender.database.write() as session:
        session.delete(session.get_one(OwnDocumentRow, document.document_id))


def test_a_document_not_on_the_ledger_yet_is_compared_with_the_nodes_index_and_counted(safe: Safe) -> None:
    safe.keep(b"waiting", register=False)
    report = safe.scrubber().scrub(safe.hash_files, NEVER)
    assert (report.documents, report.unconfirmed, report.damage) == (1, 1, [])


def test_a_second_scrub_of_the_same_vault_is_refused(safe: Safe) -> None:
    safe.keep(b"one")

    def second(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        with pytest.raises(ScrubRunning, match="scrubbed already"):
            safe.scrubber().scrub(safe.hash_files, NEVER)
        return safe.hash_files(paths)

    assert safe.scrubber().scrub(second, NEVER).documents == 1


def test_the_schedule_finds_damage_goes_on_after_a_pause_and_begins_a_new_round_in_time(safe: Safe) -> None:
    kept = safe.keep(b"one", b"two", b"three")
    spoil(safe.path(kept[1]))
    stop = threading.Event()
    scrubber = safe.scrubber(ScrubLimits(pass_bytes_max=4, pass_pause_seconds=10.0, round_seconds=1000.0))
    thread = threading.Thread(target=scrubber.run, args=(safe.hash_files, stop))
    thread.start()
    try:
        for passes in (1, 2, 3):
            eventually(partial(has_read, safe, passes), f"pass {passes}")
        eventually(lambda: (Scrubs(safe.sender.database).last() or Round(0)).finished_at, "the round is over")
        assert safe.open_findings() == [("damaged", kept[1].document_id)]
        safe.path(kept[1]).write_bytes(b"two")
        safe.time += 1000
        for passes in (4, 5, 6):
            eventually(partial(has_read, safe, passes), f"pass {passes}, of a new round")
        eventually(lambda: safe.open_findings() == [], "what was mended is closed")
    finally:
        stop.set()
        thread.join()


MONTH_SECONDS = 30 * 24 * 3600.0


@pytest.mark.parametrize("finished", [True, False])
def test_what_a_clock_a_month_ahead_wrote_down_keeps_no_damage_from_being_found(safe: Safe, finished: bool) -> None:
    kept = safe.keep(b"one", b"two")
    safe.time += MONTH_SECONDS
    assert safe.scrubber().scrub(safe.hash_files, NEVER, None if finished else 1).round_finished is finished
    safe.time -= MONTH_SECONDS  # the clock is put right
    spoil(safe.path(kept[0]))
    spoil(safe.path(kept[1]))
    assert safe.scrubber().left() == (2, 6)
    stop = threading.Event()
    scrubber = safe.scrubber(ScrubLimits(pass_bytes_max=100, pass_pause_seconds=10.0, round_seconds=1000.0))
    thread = threading.Thread(target=scrubber.run, args=(safe.hash_files, stop))
    thread.start()
    try:
        eventually(lambda: len(safe.open_findings()) == 2, "both are found")
        eventually(lambda: (Scrubs(safe.sender.database).last() or Round(0)).started_at <= safe.time, "a round of now")
    finally:
        stop.set()
        thread.join()


def has_read(safe: Safe, documents: int) -> bool:
    """Whether so many documents have been read; time passes with every look."""
    safe.time += 1
    return len(safe.read) >= documents


# The page cache


def resident_pages(path: Path) -> int:
    """How many pages of a file the page cache holds."""
    size = path.stat().st_size
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as mapped:
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
        assert ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), pages) == 0
        return sum(page & 1 for page in pages)


def test_scrubbing_leaves_nothing_in_the_page_cache_where_other_hashing_does(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(os.urandom(64 * mmap.PAGESIZE))
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident_pages(path):
        pytest.skip("THE PAGE CACHE WAS NOT TESTED: the temporary folder's file system lies in memory")
    HashlibBackend().hash_batch([path])
    assert resident_pages(path) > 0
    past_cache(HashlibBackend().hash_batch)([path])
    assert resident_pages(path) == 0
