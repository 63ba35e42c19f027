"""Whoever speaks with the hashing service: strangers, stalled and dying clients, and too many of them."""

from __future__ import annotations

import array
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hash_backends import Wide, digests
from hash_service_world import (
    SECONDS_MAX,
    Held,
    ask,
    backends,
    client,
    documents,
    hear,
    is_gone,
    kind,
    served,
    stranger,
    times_open,
    until,
)

from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import service_status
from ledger_node.hashing.service.server import Server, ServiceLimits
from ledger_node.hashing.service.wire import (
    Kind,
    decode_done,
    encode,
)


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


def test_what_runs_is_answered_and_what_waits_handed_back_when_a_service_ends(
    place: Path, backend: Held, tmp_path: Path
) -> None:
    paths, expected = documents(tmp_path, 2)
    backend.go.clear()
    with (
        paths[0].open("rb") as one,
        paths[1].open("rb") as two,
        served(place, Hasher(backend)) as server,
        stranger(place) as first,
        stranger(place) as second,
    ):
        ask(first, [one.fileno()])
        assert backend.holds.wait(SECONDS_MAX)
        ask(second, [two.fileno()])
        until(lambda: server.status()["queue"]["documents"] == 2)
        server.stop()
        assert [kind(hear(second)), kind(hear(second))] == [Kind.QUEUED, Kind.BUSY]
        backend.go.set()
        assert kind(hear(first)) is Kind.QUEUED
        done = hear(first)
        assert done is not None
        assert digests(decode_done(done)) == expected[:1]


@pytest.mark.parametrize(
    "content",
    [b"\0", b"GET / HTTP/1.1\r\n\r\n", os.urandom(64), encode(Kind.HASH, 1, 5), encode(Kind.DONE, 1), b"x" * 65000],
    ids=["a byte", "http", "noise", "no descriptors", "an answer", "a long one"],
)
def test_rubbish_ends_only_its_own_connection(place: Path, service: Server, tmp_path: Path, content: bytes) -> None:
    paths, _ = documents(tmp_path, 3)
    with stranger(place) as connection:
        connection.send(content)
        assert is_gone(connection)
    assert backends(client(place).hash_batch(paths)) == {"service:wide"}


def test_a_message_that_is_cut_short_never_arrives_half(place: Path, service: Server, tmp_path: Path) -> None:
    paths, _ = documents(tmp_path, 1)
    with paths[0].open("rb") as file, stranger(place) as connection:
        half = encode(Kind.HASH, 7, 1)[:9]
        connection.sendmsg([half], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])
        assert is_gone(connection)
    assert times_open(paths[0]) == 0


def test_only_regular_files_that_are_open_for_reading_alone_are_hashed(
    place: Path, service: Server, tmp_path: Path
) -> None:
    (path, other), expected = documents(tmp_path, 2)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with contextlib.ExitStack() as stack:
        fds = []
        for target, flags in (
            (path, os.O_RDONLY),
            (path, os.O_RDWR),
            (path, os.O_WRONLY),
            (path, os.O_PATH),
            (tmp_path, os.O_RDONLY),
            (fifo, os.O_RDONLY | os.O_NONBLOCK),
            (Path(os.devnull), os.O_RDONLY),
            (other, os.O_RDONLY),
        ):
            fds.append(os.open(target, flags))
            stack.callback(os.close, fds[-1])
        with stranger(place) as connection:
            ask(connection, fds)
            assert hear(connection) is not None
            done = hear(connection)
    assert done is not None
    assert digests(decode_done(done)) == [expected[0], *[None] * 6, expected[1]]


def test_a_client_that_dies_in_the_queue_leaves_nothing_behind(
    place: Path, service: Server, backend: Held, tmp_path: Path
) -> None:
    paths, expected = documents(tmp_path, 2)
    backend.go.clear()
    with paths[0].open("rb") as file, stranger(place) as first:
        ask(first, [file.fileno()])
        until(lambda: service.status()["queue"]["documents"] == 1)
        with stranger(place) as connection:
            ask(connection, [file.fileno()] * 100)
            until(lambda: service.status()["queue"]["documents"] == 101)
        until(lambda: service.status()["queue"]["documents"] == 1)
        backend.go.set()
        until(lambda: service.status()["queue"]["documents"] == 0)
    assert digests(client(place).hash_batch(paths)) == expected
    until(lambda: times_open(paths[0]) == 0)


def test_a_client_that_takes_no_answers_does_not_hold_up_others(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 50)
    limits = ServiceLimits(client_documents_max=400, silence_seconds_max=0.5)
    with paths[1].open("rb") as file, served(place, Hasher(Wide()), limits) as server, stranger(place) as stalled:
        stalled.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(5000):
                ask(stalled, [file.fileno()])
        assert digests(client(place).hash_batch(paths)) == expected
        until(lambda: server.status()["clients"] == [])


def test_too_many_clients_are_turned_away_and_hash_alone(place: Path, tmp_path: Path) -> None:
    paths, expected = documents(tmp_path, 5)
    with served(place, Hasher(Wide()), ServiceLimits(clients_max=1)) as server, stranger(place):
        until(lambda: len(server.status()["clients"]) == 1)
        hasher = client(place)
        answers = hasher.hash_batch(paths)
    assert (digests(answers), backends(answers)) == (expected, {"hashlib"})


@pytest.mark.parametrize("limits", [ServiceLimits(documents_max=3), ServiceLimits(bytes_max=10)])
def test_what_is_too_much_for_the_service_is_hashed_here(place: Path, tmp_path: Path, limits: ServiceLimits) -> None:
    paths, expected = documents(tmp_path, 10)
    with served(place, Hasher(Wide()), limits):
        hasher = client(place)
        answers = hasher.hash_batch(paths)
    assert (digests(answers), backends(answers)) == (expected, {"hashlib"})


def test_status_names_the_clients_by_their_credentials(place: Path, service: Server) -> None:
    with stranger(place):
        until(lambda: len(service.status()["clients"]) == 1)
        found = service_status(place)["clients"]
    me = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
    assert [{name: row[name] for name in me} for row in found] == [me, me]
