"""Logs stay within their bound while their processes write, and their ends can be read."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from network import logs
from network.logs import bound_logs, log_path, log_size, log_tail

BOUND = 1000
WRITER = """
import sys
for line in sys.stdin:
    print(line.strip() * 50, flush=True)
    print("done", file=sys.stderr, flush=True)
"""


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES_MAX", BOUND)


def test_the_log_of_a_running_process_is_cut_and_goes_on(tmp_path: Path) -> None:
    log = log_path(tmp_path, "buyer.peer")
    log.parent.mkdir()
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, "-c", WRITER],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as writer,
    ):
        words, answers = writer.stdin, writer.stderr
        assert words is not None
        assert answers is not None

        def write(word: str) -> None:
            words.write(word + "\n")
            answers.readline()

        for number in range(5):
            write(f"early{number}")
        assert bound_logs(tmp_path) == ["buyer.peer"]
        assert log_size(log) == 0
        write("late")
        words.close()
    assert log_tail(log, 9) == ["late" * 50]
    aside = log.with_suffix(".log.1")
    assert log_size(aside) == BOUND  # the last part of what was there
    assert log_tail(aside, 1) == ["early4" * 50]


def test_a_log_within_its_bound_is_left_alone(tmp_path: Path) -> None:
    log = log_path(tmp_path, "buyer.peer")
    log.parent.mkdir()
    log.write_bytes(b"x" * BOUND)
    assert bound_logs(tmp_path) == []
    assert log_size(log) == BOUND
    assert bound_logs(tmp_path / "nowhere") == []


def test_a_log_that_another_one_is_cutting_is_left_to_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES_MAX", 10)
    log = log_path(tmp_path, "buyer.peer")
    log.parent.mkdir()
    log.write_text("more than ten bytes\n")
    handle = os.open(log.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert (bound_logs(tmp_path), log_size(log)) == ([], 20)
    os.close(handle)
    assert (bound_logs(tmp_path), log_size(log)) == (["buyer.peer"], 0)
