"""Where a webhook may lead: attacks on the inside of the network, each with a control that gets through."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from consortium import organisations
from receivers import Receiver, Told, status, tls_server

from ledger_node.config import WebhookSettings
from ledger_node.errors import BadRequest, ConfigError
from ledger_node.notifications import addresses
from ledger_node.notifications.addresses import checked_url, host_of, is_public
from ledger_node.notifications.post import ANSWER_BYTES_MAX, Outcome, Poster, new_secret
from network.topology import demo_topology

INSIDE = [
    "127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "192.88.99.1",
    "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2001::7f00:1", "2001:db8::1",
    "100::1", "fec0::1", "3fff::1" if not is_public("3fff::1") else "2001:db8::2",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"]
SPELLINGS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0", "localhost",
    "LOCALHOST", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "127.0.0.1.",
]  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def sent(url: str, *hosts: str, resolve: Any = None, roots: Path | None = None, **settings: Any) -> Outcome:
    """One delivery, where these hosts are allowed."""
    allowed = WebhookSettings(private_hosts=hosts, **settings)
    with closing(Poster(allowed, roots, 1, resolve)) as poster:
        return poster.post(url, [new_secret()], "id", "{}")


def leading_to(*found: str) -> Callable[..., list[Any]]:
    """A name service that gives these addresses, one list at each look, and then the last for ever."""
    lists = [each.split() for each in found]

    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        now = lists.pop(0) if len(lists) > 1 else lists[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    return resolve


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_or_stands_for_another_is_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_this_machine_gets_a_delivery_to_it(host: str, receiver: Receiver) -> None:
    outcome = sent(f"https://{host}:{receiver.port}/")
    assert outcome.status == 0
    assert any(why in outcome.error for why in ("not public", "no public address", "looked up", "is no URL"))
    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_that_the_settings_name_gets_it(host: str, receiver: Receiver) -> None:
    assert sent(f"http://{host}:{receiver.port}/x", host) == Outcome(204)
    assert [each.path for each in receiver.told] == ["/x"]


def test_a_name_with_one_inside_address_among_public_ones_is_refused(receiver: Receiver) -> None:
    url = f"https://mixed.example:{receiver.port}/"
    outcome = sent(url, resolve=leading_to("8.8.8.8 127.0.0.1"))
    assert (outcome.status, receiver.connections) == (0, 0)
    assert "not public" in outcome.error
    assert sent(url.replace("https", "http"), "mixed.example", resolve=leading_to("127.0.0.1")) == Outcome(204)


def test_a_name_that_leads_elsewhere_at_the_second_look_is_not_looked_at_twice(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: 127.0.0.2 plays a public address, 127.0.0.1 the inside; both listen at one port."""
    monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.2")
    public = Receiver(host="127.0.0.2", port=receiver.port)
    resolve = leading_to("127.0.0.2", "127.0.0.1")
    with closing(Poster(WebhookSettings(), None, 1, resolve)) as poster:
        poster._settings = WebhookSettings(private_hosts=("rebound.example",))  # for http; the backend has the others
        url = f"http://rebound.example:{receiver.port}/"
        assert poster.post(url, [new_secret()], "first", "{}") == Outcome(204)
        assert (len(public.told), receiver.connections) == (1, 0)
    with closing(Poster(WebhookSettings(), None, 1, resolve)) as poster:
        poster._settings = WebhookSettings(private_hosts=("rebound.example",))
        assert "not public" in poster.post(url, [new_secret()], "second", "{}").error
    assert receiver.connections == 0
    public.close()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int, receiver: Receiver) -> None:
    first = Receiver(status(code, Location=f"http://127.0.0.1:{receiver.port}/inside"))
    outcome = sent(f"http://127.0.0.1:{first.port}/", "127.0.0.1")
    assert (outcome.status, outcome.is_delivered, receiver.connections) == (code, False, 0)
    first.answer = status(200)
    assert sent(f"http://127.0.0.1:{first.port}/", "127.0.0.1") == Outcome(200)
    first.close()


def dripping(pause: float) -> Callable[[Told, BaseHTTPRequestHandler], None]:
    """An answer that comes byte by byte, without end where it pauses."""

    def answer(_: Told, handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * (50 if pause else 3) + b"\r\nContent-Length: 0\r\n\r\n"
        for place in range(len(head)):
            handler.wfile.write(head[place : place + 1])
            handler.wfile.flush()
            time.sleep(pause)

    return answer


def test_a_receiver_that_answers_byte_by_byte_is_left_when_the_time_is_over() -> None:
    slow = Receiver(dripping(0.1))
    outcome = sent(f"http://127.0.0.1:{slow.port}/", "127.0.0.1", seconds_max=0.7)
    assert outcome.status == 0
    assert "Timeout" in outcome.error
    slow.answer = dripping(0)
    assert sent(f"http://127.0.0.1:{slow.port}/", "127.0.0.1").status == 200
    slow.close()


def test_of_an_answer_without_end_only_a_little_is_read() -> None:
    written: list[int] = []

    def endless(_: Told, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            written.append(handler.wfile.write(b"x" * 65536))

    receiver = Receiver(endless)
    assert sent(f"http://127.0.0.1:{receiver.port}/", "127.0.0.1") == Outcome(200)
    receiver.close()
    assert sum(written) < 200 * ANSWER_BYTES_MAX  # what sockets hold, and not all that it would send


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Receiver()
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert sent(f"http://localhost:{receiver.port}/", "localhost") == Outcome(204)
    assert (proxy.connections, len(receiver.told)) == (0, 1)
    proxy.close()


@contextmanager
def with_tls(home: Path) -> Iterator[tuple[Receiver, Path]]:
    """A receiver with a certificate for `localhost`, and the authority that issued it."""
    organisations(home)
    own = demo_topology(home, 20000).folders("buyer")
    made = Receiver(tls=tls_server(own.node_tls.certificate, own.node_tls.key))
    yield made, own.authority / "tlsca.crt"
    made.close()


def test_the_certificate_has_to_be_the_name_s_though_the_address_is_pinned(tmp_path: Path) -> None:
    with with_tls(tmp_path) as (receiver, root):
        right, wrong = f"https://localhost:{receiver.port}/", f"https://other.example:{receiver.port}/"
        outcome = sent(wrong, "other.example", resolve=leading_to("127.0.0.1"), roots=root)
        assert outcome.status == 0
        assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
        assert sent(right, "localhost").status == 0, "an authority that nobody trusts"
        assert receiver.told == []
        assert sent(right, "localhost", resolve=leading_to("127.0.0.1"), roots=root) == Outcome(204)


def test_a_file_of_roots_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no certificates"):
        Poster(WebhookSettings(), tmp_path / "none", 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "https://user:word@example.com/",
        "https://example.com/#part", "https://example.com/" + "x" * 500, "https://10.0.0.1/", "https://[fe80::1]/",
        "https://exa mple.com/", "javascript:alert(1)", "", "https://example.com:99999/", "//example.com/x",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_url(url, ())
    assert refused.value.remedy


def test_hosts_are_compared_as_they_are_looked_up() -> None:
    assert host_of(checked_url("https://Hooks.Example.COM./x?y", ())) == "hooks.example.com"
    assert checked_url("http://[::1]:8080/", ("::1",)).port == 8080
    assert host_of(httpx.URL("https://b\u00fccher.example/")) == "xn--bcher-kva.example"
