"""The hashing service gives a node the answers it would have found alone, and dies, hangs or lies without harm."""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hash_backends import Lying, Wide, digests, digests_of

from ledger_node.errors import ConfigError, NotFound
from ledger_node.hashing import Descriptor, Hashed, Source, UnreadableError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.guard import Answer
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import Patience, ServiceHasher, service_status
from ledger_node.hashing.service.endpoint import listening
from ledger_node.hashing.service.server import Server, ServiceLimits
from ledger_node.hashing.service.wire import (
    MESSAGE_BYTES_MAX,
    Kind,
    Message,
    WireError,
    decode,
    decode_done,
    encode,
    encode_done,
)

SECONDS_MAX = 30.0
QUICK = Patience(silence_seconds=0.3, pause_seconds_min=0.05, pause_seconds_max=0.1)


class Held(Wide):
    """Hashes only while `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.holds = threading.Event()

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Real digests, late."""
        self.holds.set()
        self.go.wait(SECONDS_MAX)
        return super().hash_batch(sources)


@contextlib.contextmanager
def served(path: Path, hasher: Hasher, limits: ServiceLimits | None = None) -> Iterator[Server]:
    """A service in a thread of this process."""
    with listening(path) as listener:
        server = Server(listener, hasher, limits or ServiceLimits(), dict)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


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


def client(path: Path | None, patience: Patience | None = None) -> ServiceHasher:
    return ServiceHasher(path, Hasher(HashlibBackend()), patience)


def documents(folder: Path, count: int) -> tuple[list[Path], list[bytes]]:
    contents = [b"document %d" % number * (number % 50) for number in range(count)]
    paths = [folder / str(number) for number in range(count)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths, digests_of(contents)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def backends(answers: Sequence[Answer]) -> set[str]:
    return {answer.backend for answer in answers if isinstance(answer, Hashed)}


@contextlib.contextmanager
def stranger(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(SECONDS_MAX)
        connection.connect(str(path))
        yield connection


def ask(connection: socket.socket, fds: list[int], count: int | None = None, body: bytes = b"") -> None:
    content = encode(Kind.HASH, 7, len(fds) if count is None else count, body)
    connection.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def hear(connection: socket.socket) -> Message | None:
    """The next message; None when the connection is over."""
    try:
        content = connection.recv(MESSAGE_BYTES_MAX)
    except ConnectionResetError:
        return None
    return decode(content) if content else None


def is_gone(connection: socket.socket) -> bool:
    while message := hear(connection):
        assert message.kind in {Kind.QUEUED, Kind.DONE}
    return True


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


def kind(message: Message | None) -> Kind | None:
    return message.kind if message else None


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


def times_open(path: Path) -> int:
    """How often this process, which is the service's, too, has a file open."""
    return sum(link == str(path) for link in links())


def links() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            yield os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115


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
