"""The hashing service gives a node the answers it would have found alone, and dies, hangs or lies without harm."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hash_backends import Lying, Wide, digests, digests_of
from hash_service_world import (
    SECONDS_MAX,
    Held,
    ask,
    backends,
    client,
    documents,
    served,
    stranger,
    until,
)

from ledger_node.errors import ConfigError, NotFound
from ledger_node.hashing import Descriptor, Hashed, Source, UnreadableError
from ledger_node.hashing.guard import Answer
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import Patience, service_status
from ledger_node.hashing.service.endpoint import listening
from ledger_node.hashing.service.server import Server, ServiceLimits
from ledger_node.hashing.service.wire import (
    WireError,
    decode,
    decode_done,
    encode_done,
)

QUICK = Patience(silence_seconds=0.3, pause_seconds_min=0.05, pause_seconds_max=0.1)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "hash.sock"


@pytest.fixture
def backend() -> Held:
    return Held()


@pytest.fixture
def service(place: Path, backend: Held) -> Iterator[Server]:
    with served(place, Hasher(backend)) as server:
        yield server
        backend.go.set()


def test_files_are_hashed_by_the_service_and_all_else_here(place: Path, service: Server, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 700)
    with paths[3].open("rb") as third:
        third.read(5)  # a descriptor is read from its start wherever it stands
        sources: list[Source] = [*paths, b"a buffer", Descriptor(third.fileno()), tmp_path / "missing"]
        answers = client(place).hash_batch(sources)
    assert digests(answers) == [*expected, *digests_of([b"a buffer"]), expected[3], None]
    assert backends(answers[:700]) == {"service:wide"}
    assert backends(answers[700:701]) == {"hashlib"}
    assert backends(answers[701:702]) == {"service:wide"}
    assert isinstance(answers[702], UnreadableError)


def test_without_a_service_the_answers_are_the_same(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 20)
    alone = client(place)
    assert digests(alone.hash_batch(paths)) == expected
    assert alone.status()["service"]["state"] == "absent"


def test_a_service_that_starts_later_is_found(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 20)
    hasher = client(place)
    assert backends(hasher.hash_batch(paths)) == {"hashlib"}
    with served(place, Hasher(Wide())):
        answers = hasher.hash_batch(paths)
    assert (digests(answers), backends(answers)) == (expected, {"service:wide"})
    assert backends(hasher.hash_batch(paths)) == {"hashlib"}


def test_a_service_that_hangs_is_left_alone_and_used_again(
    place: Path, service: Server, backend: Held, tmp_path: Path
) -> None:
    paths, expected = documents(tmp_path, 300)
    hasher = client(place, QUICK)
    backend.go.clear()
    answers = hasher.hash_batch(paths)
    assert (digests(answers), backends(answers)) == (expected, {"hashlib"})
    assert hasher.status()["service"]["state"].startswith("left alone for ")
    assert backends(hasher.hash_batch(paths)) == {"hashlib"}
    backend.go.set()
    until(lambda: backends(hasher.hash_batch(paths)) == {"service:wide"})
    assert hasher.status()["service"]["state"] == "used"


def test_a_service_that_lies_is_dropped_for_good(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 64)
    lying = Lying(1.0, seed=1)
    lying.begin()
    hasher = client(place)
    with served(place, Hasher(lying)):
        for _ in range(1500):  # the chance that no digest of 96 000 wrong ones is sampled is below 10^-40
            answers = hasher.hash_batch(paths)
            if hasher.status()["service"]["state"].startswith("not used any more"):
                break
        assert (digests(answers), backends(answers)) == (expected, {"hashlib"})
        assert backends(hasher.hash_batch(paths)) == {"hashlib"}


def test_a_mismatch_that_the_service_made_up_is_none(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 3)
    lying = Lying(1.0, seed=2)
    lying.begin()
    with served(place, Hasher(lying)):
        checks = client(place).verify_batch(list(zip(paths, expected, strict=True)))
    assert [str(check.verdict) for check in checks] == ["verified"] * 3


def test_a_killed_service_costs_time_and_no_answer(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 4000)
    found: list[Answer] = []
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(3 << 30)  # keeps the service busy while it is killed; small for a clock, nothing for the disk
    command = [sys.executable, "-m", "ledger_node", "hash", "serve", "--backend", "hashlib", "--socket", str(place)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: is_served(place))
            with big.open("rb") as file, stranger(place) as other:
                ask(other, [file.fileno()])
                hasher = client(place)
                thread = threading.Thread(target=lambda: found.extend(hasher.hash_batch(paths)))
                thread.start()
                until(lambda: service_status(place)["queue"]["documents"] > 100)
                process.send_signal(signal.SIGKILL)
                thread.join()
        finally:
            process.kill()
    assert digests(found) == expected
    assert "hashlib" in backends(found)


def is_served(path: Path) -> bool:
    try:
        return bool(service_status(path))
    except NotFound:
        return False


def test_sigterm_finishes_what_runs_and_removes_the_socket(place: Path, tmp_path: Path) -> None:
    paths, _ = documents(tmp_path, 100)
    command = [sys.executable, "-m", "ledger_node", "hash", "serve", "--backend", "hashlib", "--socket", str(place)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: is_served(place))
            assert backends(client(place).hash_batch(paths)) == {"service:hashlib"}
            process.send_signal(signal.SIGTERM)
            output, log = process.communicate(timeout=SECONDS_MAX)
        finally:
            process.kill()
    assert (process.returncode, output.strip(), place.exists()) == (0, "stopped", False)
    assert "serving" in log


def test_a_second_service_is_refused_and_a_stale_socket_replaced(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(str(place))
    with (
        listening(place),
        pytest.raises(ConfigError, match=f"already serves .* the process {os.getpid()}"),
        listening(place),
    ):
        pass
    assert not place.exists()


def test_what_is_no_socket_is_not_replaced(place: Path) -> None:
    place.write_text("precious")
    with pytest.raises(ConfigError, match="is no socket"), listening(place):
        pass
    assert place.read_text() == "precious"


def test_the_socket_is_for_its_owner_or_for_a_group(place: Path) -> None:
    with listening(place):
        assert place.stat().st_mode & 0o777 == 0o600
    import grp

    group = grp.getgrgid(os.getgid()).gr_name
    with listening(place, group):
        assert (place.stat().st_mode & 0o777, place.stat().st_gid) == (0o660, os.getgid())
    with pytest.raises(ConfigError, match="there is no group"), listening(place, "no-such-group"):
        pass


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    with pytest.raises(ConfigError, match="longer than 103 bytes"):
        client(path)
    with pytest.raises(ConfigError, match="longer than 103 bytes"), listening(path):
        pass


def test_answers_survive_the_wire_and_damaged_ones_are_refused() -> None:
    answers = [Hashed(bytes(range(32)), 1 << 40, "native:avx512"), None, Hashed(bytes(32), 0, "gpu:NVIDIA H200")]
    content = encode_done(9, answers)
    assert decode_done(decode(content)) == answers
    for length in range(len(content)):
        with contextlib.suppress(WireError):
            assert decode_done(decode(content[:length])) != answers


def test_a_service_that_is_told_to_stop_while_it_ends_ends_quietly(place: Path, backend: Held) -> None:
    for _ in range(40):
        with listening(place) as listener:
            server = Server(listener, Hasher(backend), ServiceLimits(), dict)
            serving = threading.Thread(target=server.run)
            serving.start()
            with ThreadPoolExecutor(4) as pool:
                stops = [pool.submit(server.stop) for _ in range(100)]
                serving.join()
            assert [stop.exception() for stop in stops] == [None] * len(stops)
