"""The client against a real node, and against things that are none."""

from __future__ import annotations

import http.server
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from api_world import Caller, invoice_file
from consortium import BUYER, CARRIER, Consortium, organisations

from ledger_node.client import Client, Refused, StillOpen
from ledger_node.errors import BadRequest, NodeError, NotFound

SHIPMENT = {"buyer": BUYER, "carrier": CARRIER, "reference": "1"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    yield Caller(world, "supplier")
    world.close()


@pytest.fixture(scope="module")
def url(caller: Caller) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, caller.http.application, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(caller: Caller, url: str) -> Iterator[Client]:
    with Client(url, caller.tokens["uploader"]) as client:
        yield client


def test_without_workers_a_write_is_still_open_and_its_submission_is_named(client: Client) -> None:
    with pytest.raises(StillOpen) as still:
        client.post("/v1/shipments", SHIPMENT, wait_seconds=1)
    with pytest.raises(StillOpen) as again:
        client.await_submission(still.value.submission["id"], 1)
    assert (again.value.exit_code, again.value.submission["id"]) == (4, still.value.submission["id"])


def conclude(caller: Caller, command_id: str, status: str) -> None:
    """What the outbox's worker writes when the ledger has said no."""
    statement = f"UPDATE outbox SET status = '{status}', code = 'CODE', text = 'why' WHERE command_id = '{command_id}'"
    with caller.node.state.write() as session:
        session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize(("status", "expected", "exit_code"), [("refused", Refused, 5), ("failed", NodeError, 1)])
def test_a_submission_that_came_to_nothing_is_an_error(
    caller: Caller, client: Client, status: str, expected: type[NodeError], exit_code: int
) -> None:
    submission = client.post("/v1/shipments", SHIPMENT, wait_seconds=0)
    conclude(caller, submission["id"], status)
    with pytest.raises(expected, match="CODE: why") as found:
        client.await_submission(submission["id"], 1)
    assert found.value.exit_code == exit_code
    repeated = client.get(f"/v1/submissions/{submission['id']}")
    assert repeated["code"] == "CODE"


def test_a_submission_that_was_withdrawn_is_an_error(caller: Caller, client: Client) -> None:
    submission = client.post("/v1/shipments", SHIPMENT, wait_seconds=0, idempotency_key="once")
    conclude(caller, submission["id"], "awaiting_persons")
    with pytest.raises(StillOpen, match="awaiting_persons"):
        client.await_submission(submission["id"], 1)
    withdrawn = client.post(f"/v1/submissions/{submission['id']}/withdrawal", wait_seconds=0)
    assert (withdrawn["status"], withdrawn["code"]) == ("withdrawn", "")
    with pytest.raises(BadRequest, match="was withdrawn at 2"):
        client.await_submission(submission["id"], 1)
    with pytest.raises(BadRequest, match="SUBMISSION_WITHDRAWN: the submission was withdrawn at 2"):
        client.post("/v1/shipments", SHIPMENT, wait_seconds=1, idempotency_key="once")


def test_a_failed_command_answers_as_a_bad_gateway(caller: Caller, client: Client) -> None:
    stored = client.post("/v1/shipments", SHIPMENT, wait_seconds=0, idempotency_key="fails")
    conclude(caller, stored["id"], "failed")
    with pytest.raises(NodeError, match="CODE: why") as failed:
        client.post("/v1/shipments", SHIPMENT, wait_seconds=0, idempotency_key="fails")
    assert failed.value.exit_code == 1


def test_bytes_and_files_are_uploaded_alike(client: Client, tmp_path: Path) -> None:
    paper = tmp_path / "invoice.xml"
    paper.write_bytes(invoice_file())
    about: dict[str, Any] = {
        "kind": "invoice",
        "media_type": "application/xml",
        "entitled": [BUYER],
        "wait_seconds": 0,
        "idempotency_key": "alike",
    }
    assert client.upload(paper, **about) == client.upload(paper.read_bytes(), **about)


def test_missing_things_are_none_only_when_that_is_fine(client: Client) -> None:
    assert client.get("/v1/invoices/x", missing_ok=True) is None
    with pytest.raises(NotFound):
        client.get("/v1/invoices/x")
    with pytest.raises(NotFound):
        client.download("0" * 32, io.BytesIO())


def test_a_wrong_token_is_bad_input(url: str) -> None:
    with Client(url, "lnt_x") as client, pytest.raises(BadRequest, match="TOKEN_INVALID"):
        client.get("/v1/parties")


def test_a_server_that_is_no_node_is_not_believed() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(418)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        with Client(f"http://127.0.0.1:{server.server_address[1]}") as client:
            assert not client.ready()
            with pytest.raises(NodeError, match="418"):
                client.get("/v1/parties")
    finally:
        server.shutdown()
        server.server_close()


def test_a_node_that_is_not_there_is_said_to_be_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client:
        assert not client.ready()
        with pytest.raises(NodeError, match="does not answer") as found:
            client.get("/v1/parties")
        assert found.value.exit_code == 1
        assert "Errno" not in found.value.text
        with pytest.raises(NodeError, match="does not answer"):
            client.download("0" * 32, io.BytesIO())


def test_a_write_whose_answer_is_lost_is_tried_again_and_has_one_effect(
    caller: Caller, url: str, tmp_path: Path
) -> None:
    """A relay that cuts the connection after the node has stored the write, once."""
    paper = tmp_path / "invoice.xml"
    paper.write_bytes(invoice_file("LOST"))
    host, _, port = url.removeprefix("http://").partition(":")
    seen: list[int] = []

    def relay(listener: socket.socket) -> None:
        for cut in (True, False):
            inside, _ = listener.accept()
            with inside, socket.create_connection((host, int(port))) as outside:
                threading.Thread(target=pump, args=(inside, outside), daemon=True).start()
                answer = outside.recv(65536)
                seen.append(len(answer))
                while not cut and answer:
                    inside.sendall(answer)
                    answer = outside.recv(65536)
                inside.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=relay, args=(listener,), daemon=True).start()
        before = caller.stored()
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", caller.tokens["uploader"]) as client:
            stored = client.upload(
                paper, kind="invoice", media_type="application/xml", entitled=[BUYER], wait_seconds=0
            )
    assert (stored["status"], len(seen)) == ("waiting", 2)
    assert [after - earlier for earlier, after in zip(before, caller.stored(), strict=True)] == [1, 1, 1]


def pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes one way until either end is closed."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
    except OSError:
        return
