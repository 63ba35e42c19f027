"""A door that cannot be blocked: whoever is slow is cut off or waits alone, and others are served beside them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from consortium import eventually
from crowd import Crowd

PROGRAM = Path(__file__).with_name("door_program.py")
SOON = 60.0
HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
LARGE = HEAD + b"Content-Length: 1000000\r\n\r\n"


@dataclass
class Door:
    """A door's process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, content: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=SOON)
        connection.sendall(content)
        return connection

    def ask(self, content: bytes, address: str = "127.0.0.1", until: bytes = b"") -> bytes:
        """What is answered to these bytes until the end, or until an ending."""
        connection = socket.create_connection(("127.0.0.1", self.port), SOON, (address, 0))
        with connection:
            connection.sendall(content)
            return read_all(connection, until)

    def lines(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "cut off" in line]


Opener = Callable[..., Door]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Opener]:
    """Opens doors with other bounds than the usual ones."""
    opened = list[Door]()

    def open_door(**bounds: float) -> Door:
        log = tmp_path / f"{len(opened)}.log"
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener, log.open("wb") as stream:
            descriptor = listener.fileno()
            command = [sys.executable, str(PROGRAM), str(descriptor), json.dumps(bounds)]
            process = subprocess.Popen(command, pass_fds=[descriptor], stdout=stream, stderr=stream)
            opened.append(Door(int(listener.getsockname()[1]), process, log))
        assert opened[-1].ask(b"GET / HTTP/1.0\r\n\r\n").endswith(b"here")
        return opened[-1]

    yield open_door
    for each in opened:
        each.process.kill()
        each.process.wait()


def read_all(connection: socket.socket, until: bytes = b"") -> bytes:
    """What is sent until the end, whichever way it ends, or until an ending."""
    found = b""
    try:
        while not (until and found.endswith(until)) and (piece := connection.recv(65536)):
            found += piece
    except ConnectionError:
        pass
    return found


def drips(connection: socket.socket, drop: bytes) -> bytes:
    """What is answered to somebody who sends a byte every tenth of a second until it is cut off."""
    connection.settimeout(0.1)
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        try:
            connection.sendall(drop)
            if (found := connection.recv(65536)) or not found:
                return found
        except TimeoutError:
            continue
        except OSError:
            return b""
    raise AssertionError("it is never cut off")


def test_what_is_asked_is_answered_whatever_the_form_of_the_body(door: Opener) -> None:
    opened = door()
    with httpx.Client(base_url=opened.url, timeout=SOON) as client:
        for content in (b"", b"small", b"z" * 65536, b"z" * 65537, b"z" * 3_000_000):
            assert client.post("/echo", content=content).content == content
        assert client.post("/echo", content=iter([b"of ", b"unknown ", b"length"])).content == b"of unknown length"
        assert client.post("/unread", content=b"z" * 3_000_000).text == "here"
        assert len(client.get("/large").content) == 128 * 65536
        assert client.head("/large").headers["Content-Length"] == str(128 * 65536)
        shown = client.get("/environ?a=%20b", headers=[("X-Two", "1"), ("X-Two", "2"), ("Content_Length", "9")]).json()
    assert (shown["QUERY_STRING"], shown["HTTP_X_TWO"], shown["REMOTE_ADDR"]) == ("a=%20b", "1,2", "127.0.0.1")
    assert "HTTP_CONTENT_LENGTH" not in shown
    assert opened.lines() == []


def test_requests_one_behind_the_other_on_one_connection_are_answered_in_order(door: Opener) -> None:
    one = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = read_all(door().connect(one + b"1" + one + b"2" + last))
    assert [each[:1] for each in answers.split(b"\r\n\r\n")[1:]] == [b"1", b"2", b"h"]


def test_a_header_that_is_drawn_out_is_cut_off_however_often_a_byte_comes(door: Opener) -> None:
    opened = door(header_seconds_max=0.5)
    assert drips(opened.connect(b"GET / HTTP/1.1\r\nX: "), b"x") == b""
    second = opened.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read_all(second, b"here").startswith(b"HTTP/1.1 200")
    assert drips(second, b"G") == b""
    assert ["its header was not there in time" in line for line in opened.lines()] == [True]


def test_a_body_below_the_least_rate_is_answered_and_cut_off_and_a_slow_one_above_it_is_taken(door: Opener) -> None:
    opened = door(body_bytes_per_second_min=100, header_seconds_max=0.5)
    slow = opened.connect(HEAD + b"Content-Length: 3000\r\nConnection: close\r\n\r\n")
    for _ in range(3):
        slow.sendall(b"s" * 1000)
        time.sleep(0.2)  # the attack's own pace
    assert read_all(slow).endswith(b"s" * 3000)
    hurried = door(body_bytes_per_second_min=100, header_seconds_max=0.5, body_grace_seconds=0.5)
    for length in (b"3000", b"1000000"):
        assert drips(hurried.connect(HEAD + b"Content-Length: " + length + b"\r\n\r\n"), b"s") != b"s"
    eventually(lambda: len(hurried.lines()) == 1, "one line for one offender")
    assert "its body came too slowly" in hurried.lines()[0]
    assert "Traceback" not in hurried.log.read_text()


def test_an_answer_that_is_not_read_holds_nobody_up(door: Opener) -> None:
    opened = door(body_grace_seconds=0.5, header_seconds_max=0.5)
    deaf = [opened.connect(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(80)]
    assert opened.ask(b"GET / HTTP/1.0\r\n\r\n").endswith(b"here")
    eventually(lambda: opened.lines(), "they are cut off")
    assert len(opened.ask(b"GET /large HTTP/1.0\r\n\r\n")) > 128 * 65536
    for each in deaf:
        each.close()
    assert "Traceback" not in opened.log.read_text()


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET / HTTP/1.1\r\nX: ",
        HEAD + b"Content-Length: 100\r\n\r\n",
        LARGE,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["header", "small body", "large body", "body of unknown length"],
)
def test_five_hundred_who_stall_at_once_keep_nobody_waiting(door: Opener, beginning: bytes) -> None:
    opened = door(header_seconds_max=600, body_grace_seconds=600)  # the crowd stays: nobody is saved by a deadline

    def slowest() -> float:
        times = []
        for _ in range(5):
            begun = time.monotonic()
            assert opened.ask(b"POST /echo HTTP/1.0\r\nContent-Length: 6\r\n\r\nhonest").endswith(b"honest")
            times.append(time.monotonic() - begun)
        return max(times)

    calm = slowest()
    with Crowd(opened.port, beginning, b"1"):
        assert slowest() < 30 + 20 * calm  # a door that is blocked opens after ten minutes
    assert opened.lines() == []


def test_health_answers_while_every_other_thread_is_taken(door: Opener) -> None:
    opened = door()
    held = [opened.connect(b"GET /hold HTTP/1.0\r\n" + more + b"\r\n") for more in (b"", b"Prefer: wait=9\r\n") * 40]
    eventually(lambda: opened.ask(b"GET /health/held HTTP/1.0\r\n\r\n").endswith(b"64"), "all threads are taken")
    for _ in range(10):
        assert opened.ask(b"GET /health/live HTTP/1.0\r\n\r\n").endswith(b"here")
    assert opened.ask(LARGE.replace(b"/echo", b"/unread"), until=b"here").endswith(b"here")
    opened.ask(b"GET /health/release HTTP/1.0\r\n\r\n")
    assert {read_all(each)[-4:] for each in held} == {b"here"}


def test_too_many_of_one_address_show_out_whoever_is_waited_for_the_longest(door: Opener) -> None:
    opened = door(connections_per_address_max=3, header_seconds_max=60)
    first, *others = [opened.connect(b"GET") for _ in range(3)]
    assert opened.ask(b"GET / HTTP/1.0\r\n\r\n").endswith(b"here")
    assert read_all(first) == b""
    others[-1].sendall(b" / HTTP/1.0\r\n\r\n")
    assert read_all(others[-1]).endswith(b"here")


def test_while_the_node_works_for_all_of_an_address_the_next_one_is_turned_away(door: Opener) -> None:
    opened = door(connections_per_address_max=2)
    busy = [opened.connect(b"GET /hold HTTP/1.0\r\n\r\n") for _ in range(2)]
    held = b"GET /health/held HTTP/1.0\r\n\r\n"
    eventually(lambda: opened.ask(held, address="127.0.0.2").endswith(b"2"), "both are being served")
    assert opened.ask(b"GET / HTTP/1.0\r\n\r\n") == b""
    opened.ask(b"GET /health/release HTTP/1.0\r\n\r\n", address="127.0.0.2")
    assert [read_all(each)[-4:] for each in busy] == [b"here", b"here"]
    eventually(lambda: opened.ask(b"GET / HTTP/1.0\r\n\r\n").endswith(b"here"), "there is room again")


def test_what_is_no_http_is_refused_in_one_line(door: Opener) -> None:
    opened = door()
    for content in (
        b"\x16\x03\x01\x00\xa5",
        b"GET / HTTP/9\r\n\r\n",
        b"X" * 100_000,
        HEAD + b"Content-Length: -1\r\n\r\n",
    ):
        assert read_all(opened.connect(content + b"\r\n\r\n"))[:12] in (b"HTTP/1.1 400", b"")
    assert opened.ask(b"GET / HTTP/1.0\r\n\r\n").endswith(b"here")
    assert "Traceback" not in opened.log.read_text()
    assert len(opened.lines()) == 1


def test_what_is_being_served_when_the_process_is_told_to_end_is_answered(door: Opener) -> None:
    opened = door(farewell_seconds_max=SOON)
    idle, busy = opened.connect(), opened.connect(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: opened.ask(b"GET /health/held HTTP/1.0\r\n\r\n").endswith(b"1"), "it is being served")
    opened.process.send_signal(signal.SIGTERM)
    assert read_all(idle) == b""
    opened.process.send_signal(signal.SIGUSR1)
    assert read_all(busy).endswith(b"here")
    assert opened.process.wait(SOON) == 0


def test_what_is_not_served_in_time_when_the_process_is_told_to_end_is_cut_off(door: Opener) -> None:
    opened = door(farewell_seconds_max=0.2)
    busy = opened.connect(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually(lambda: opened.ask(b"GET /health/held HTTP/1.0\r\n\r\n").endswith(b"1"), "it is being served")
    opened.process.send_signal(signal.SIGTERM)
    assert opened.process.wait(SOON) == 0
    assert read_all(busy) == b""
