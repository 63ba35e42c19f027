"""Hostile neighbours: services that are no service, and clients that want to bring one down."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hash_backends import digests
from hash_service_world import SECONDS_MAX, Held, ask, backends, client, documents, hear, served, stranger, until

from ledger_node.errors import ConfigError, NotFound
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import Patience, service_status
from ledger_node.hashing.service.endpoint import listening
from ledger_node.hashing.service.server import Server, ServiceLimits
from ledger_node.hashing.service.wire import MESSAGE_BYTES_MAX, Kind, decode, encode, encode_queued

QUICK = Patience(silence_seconds=0.2, queue_seconds_max=0.1)
FOREVER = (1 << 64) - 1


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "hash.sock"


@contextlib.contextmanager
def impostor(path: Path, answer: Callable[[socket.socket, int], None]) -> Iterator[None]:
    """What answers the first message of one client at `path`, and holds the connection until it goes."""

    def run() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(SECONDS_MAX)
            answer(connection, decode(connection.recv(MESSAGE_BYTES_MAX)).number)
            while connection.recv(MESSAGE_BYTES_MAX):
                pass

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join()


def queued_forever(connection: socket.socket, number: int) -> None:
    while True:
        connection.send(encode_queued(number, 0))


def behind_everything(connection: socket.socket, number: int) -> None:
    connection.send(encode_queued(number, FOREVER))


def what_was_not_asked(connection: socket.socket, number: int) -> None:
    connection.send(encode_queued(number + 1, 0))


@pytest.mark.parametrize("answer", [queued_forever, behind_everything, what_was_not_asked])
def test_a_service_that_puts_off_its_client_is_left_alone(
    place: Path, tmp_path: Path, answer: Callable[[socket.socket, int], None]
) -> None:
    paths, expected = documents(tmp_path, 3)
    hasher = client(place, QUICK)
    with impostor(place, answer):
        answers = hasher.hash_batch(paths)
    assert digests(answers) == expected
    assert backends(answers) == {"hashlib"}
    assert hasher.status()["service"]["state"].startswith("left alone")


def test_a_sparse_file_of_any_length_is_waited_for_as_for_any_other(place: Path, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        try:
            file.truncate((1 << 63) - 4096)
        except OSError:
            file.truncate(1 << 43)  # as long as the file system of this machine has them

    def refuse(connection: socket.socket, number: int) -> None:
        sparse.write_bytes(b"short")  # before the client is told: it reads the file itself then
        connection.send(encode(Kind.BUSY, number))

    with impostor(place, refuse):
        (answer,) = client(place, QUICK).hash_batch([sparse])
    assert digests([answer]) != [None]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 60_000, b'{"pid": "me"}', b"\xff"])
def test_a_status_that_is_none_is_a_service_that_does_not_answer(place: Path, body: bytes) -> None:
    def answer(connection: socket.socket, number: int) -> None:
        connection.send(encode(Kind.STATUS, number, body=body))

    with impostor(place, answer), pytest.raises(NotFound, match="no hashing service answers"):
        service_status(place)


def test_a_client_that_asks_and_never_listens_is_not_heard_any_more(place: Path) -> None:
    with served(place, Hasher(Held())) as server, stranger(place) as flood:
        flood.settimeout(1.0)
        with pytest.raises(TimeoutError):
            for _ in range(20_000):
                flood.send(encode(Kind.STATUS, 1))
        assert len(server.status()["clients"]) == 1
        with stranger(place) as other:
            other.send(encode(Kind.STATUS, 2))
            assert hear(other) is not None


def test_a_client_that_goes_as_its_answer_is_sent_takes_nobody_with_it(place: Path, tmp_path: Path) -> None:
    paths, _ = documents(tmp_path, 1)
    backend, may_tell, asked = Held(), threading.Event(), threading.Event()
    may_tell.set()

    def telemetry() -> dict[str, str]:
        asked.set()
        may_tell.wait(SECONDS_MAX)
        return {}

    backend.go.clear()
    with listening(place) as listener:
        server = Server(listener, Hasher(backend), ServiceLimits(), telemetry)
        thread = threading.Thread(target=server.run)
        thread.start()
        with stranger(place) as patient:
            with stranger(place) as gone, paths[0].open("rb") as file:
                ask(gone, [file.fileno()])
                gone.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    for _ in range(20_000):
                        gone.send(encode(Kind.STATUS, 1))  # until it has answers waiting, and is waited for
                may_tell.clear()
                asked.clear()
                patient.send(encode(Kind.STATUS, 2))
                assert asked.wait(SECONDS_MAX)  # the service speaks with nobody else now
                backend.go.set()
                until(lambda: server._queue.load()["documents"] == 0)  # its answer is ready
            may_tell.set()
            assert hear(patient) is not None
            until(lambda: len(server.status()["clients"]) < 2)
            patient.send(encode(Kind.STATUS, 3))
            assert hear(patient) is not None
        server.stop()
        thread.join()


def test_a_lock_that_leads_elsewhere_is_not_followed(place: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    lock = place.with_name(place.name + ".lock")
    lock.symlink_to(precious)
    with pytest.raises(ConfigError, match="cannot be opened"), listening(place):
        pass
    assert precious.read_text() == "precious"
    lock.unlink()
    with listening(place):
        assert lock.stat().st_mode & 0o777 == 0o600
