"""The audit log: appended by all, changed by nobody without being found out."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import multiprocessing
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from ledger_node.people.audit import AuditLog, read, verify

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


def opened(path: Path) -> AuditLog:
    return AuditLog(path, lambda: NOON)


def append_many(path: Path, name: str) -> None:
    log = opened(path)
    for number in range(50):
        log.append(act="asked", principal=name, number=number)


def test_each_line_continues_the_one_before_whoever_writes(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    spawned = multiprocessing.get_context("spawn")
    writers = [spawned.Process(target=append_many, args=(path, name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    append_many(path, "c")
    for writer in writers:
        writer.join()
    found = verify(path)
    assert (found.lines, found.broken) == (150, ())
    numbers = {name: [act["number"] for _, act in read(path) if act["principal"] == name] for name in "abc"}
    assert numbers == {name: list(range(50)) for name in "abc"}
    assert path.stat().st_mode & 0o777 == 0o600
    last = path.read_bytes().splitlines()[-1]
    assert opened(path).append(act="x") != found.digest
    assert json.loads(path.read_bytes().splitlines()[-1])["previous"] == found.digest
    assert last in path.read_bytes()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"erp", b"bob"), *lines[2:]], 3),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [*lines[:2], lines[0], *lines[2:]], 3),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [lines[0], b"no act\n", *lines[1:]], 2),
    ],
    ids=["changed", "removed", "put in between", "swapped", "something else"],
)
def test_a_line_that_was_tampered_with_is_found(tmp_path: Path, change: object, line: int) -> None:
    path = tmp_path / "audit.jsonl"
    log = opened(path)
    for number in range(4):
        log.append(act="asked", principal="erp", number=number)
    assert verify(path).broken == ()
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    assert verify(path).broken[0].line == line


def test_a_line_cut_short_by_a_loss_of_power_stays_and_the_next_one_names_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    opened(path).append(act="asked", principal="erp")
    with path.open("ab") as file:
        file.write(b'{"at": "2026-11-30T12')
    opened(path).append(act="asked", principal="bob")
    assert [broken.line for broken in verify(path).broken] == [2]
    assert [act["principal"] for _, act in read(path)] == ["erp", "bob"]


def test_a_file_that_was_archived_is_begun_anew(tmp_path: Path) -> None:
    path, archived = tmp_path / "audit.jsonl", tmp_path / "audit-2026.jsonl"
    log = opened(path)
    log.append(act="asked", number=1)
    path.rename(archived)
    log.append(act="asked", number=2)
    assert [(verify(each).lines, verify(each).broken) for each in (archived, path)] == [(1, ()), (1, ())]


def test_long_texts_are_cut_and_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    opened(path).append(act="asked", path="/" + "x" * 10_000)
    assert path.stat().st_size < 600
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        opened(Path("/dev/full")).append(act="asked")


def test_a_digest_that_was_kept_shows_a_file_that_was_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = opened(path)
    log.append(act="asked", number=1)
    kept = verify(path).digest
    log.append(act="asked", number=2)
    assert verify(path, kept).kept_found
    path.unlink()
    for number in (7, 2):
        opened(path).append(act="asked", number=number)
    found = verify(path, kept)
    assert (found.broken, found.kept_found) == ((), False)


def test_a_file_that_is_moved_away_while_somebody_waits_for_it_gets_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, archived = tmp_path / "audit.jsonl", tmp_path / "archived.jsonl"
    opened(path).append(act="asked", number=1)
    lock = fcntl.flock

    def moved_before(file: BinaryIO, kind: int) -> None:
        if not archived.exists():
            path.rename(archived)
        lock(file, kind)

    monkeypatch.setattr(fcntl, "flock", moved_before)
    opened(path).append(act="asked", number=2)
    assert [[act["number"] for _, act in read(each)] for each in (archived, path)] == [[1], [2]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_what_root_begins_belongs_to_who_has_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    opened(folder / "audit.jsonl").append(act="token create")
    assert (folder / "audit.jsonl").stat().st_uid == 65534
