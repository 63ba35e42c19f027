"""Ready means: the own peer answers, and the read model holds what it holds. Figures say so too, and what is left."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import Caller
from consortium import Consortium, eventually, organisations
from sender import party

from ledger_node.api import ledger_view
from ledger_node.api.ledger_view import LedgerView
from ledger_node.config import FabricSettings, Limits
from ledger_node.workers.heartbeats import WorkerState
from network.topology import demo_topology


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Consortium]:
    organisations(tmp_path)
    consortium = Consortium(tmp_path, tmp_path, limits=Limits(lag_blocks_max=0))
    yield consortium
    consortium.close()


def figure(caller: Caller, name: str) -> float:
    text = caller.http.get("/metrics").get_data(as_text=True)
    (line,) = [line for line in text.splitlines() if line.startswith(name + " ")]
    return float(line.removeprefix(name))


def as_if_working(caller: Caller) -> None:
    """All workers of the node give a sign, whether they run or not."""
    for name in caller.node.worker_names:
        caller.node.heartbeats.beat(name, WorkerState.RUNNING)


def test_a_node_that_has_read_all_blocks_is_ready_and_one_that_lacks_some_is_not(world: Consortium) -> None:
    buyer = Caller(world, "buyer")
    world.start()
    world.found()
    eventually(lambda: buyer.get("/health/ready").status == 200, "the buyer has read all blocks")
    ready = buyer.get("/health/ready").body
    assert (ready["height"], ready["lag_blocks"]) == (ready["block_number"] + 1, 0)
    world.stop("buyer")
    world.upload("supplier", "proof_of_delivery", "application/pdf", b"%PDF-1.4 paper", ["CarrierMSP"])
    buyer = Caller(world, "buyer")
    as_if_working(buyer)
    eventually(lambda: figure(buyer, "ledger_node_lag_blocks") > 0, "the figures say that blocks are missing")
    answer = buyer.get("/health/ready")
    assert answer.status == 503
    (reason,) = answer.body["reasons"]
    assert reason.startswith("the read model lacks ")


def test_a_node_with_no_block_of_a_ledger_that_has_some_is_not_ready(world: Consortium) -> None:
    world.start("supplier")
    buyer = Caller(world, "buyer")
    as_if_working(buyer)
    assert buyer.get("/health/ready").status == 200  # nothing is there yet, and nothing is missing
    parties = [party(msp_id, role) for msp_id, role in (("SupplierMSP", "supplier"), ("BuyerMSP", "buyer"))]
    world.do("supplier", "FoundConsortium", parties=parties)
    eventually(lambda: buyer.get("/health/ready").status == 503, "the buyer knows that there is a block")
    assert buyer.get("/health/ready").body["reasons"] == ["no block is in the read model yet, and the ledger has 1"]


def test_a_node_whose_peer_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    organisations(tmp_path)
    own = demo_topology(tmp_path, 20000).folders("buyer")
    fabric = FabricSettings(
        peer_endpoint="127.0.0.1:1",  # nobody listens there
        tls_root=own.tls_ca,
        certificate=own.user.certificate,
        private_key=own.user.key,
        channel="scf",
        chaincode="scf",
    )
    world = Consortium(tmp_path, tmp_path, ledger="fabric", fabric=fabric)
    try:
        buyer = Caller(world, "buyer")
        as_if_working(buyer)
        answer = buyer.get("/health/ready")
        assert answer.status == 503
        (reason,) = answer.body["reasons"]
        assert reason.startswith("the ledger does not answer")
        assert figure(buyer, "ledger_node_peer_up") == 0
        assert "ledger_node_lag_blocks " not in buyer.http.get("/metrics").get_data(as_text=True)
    finally:
        world.close()


def test_figures_tell_of_certificates_disk_and_workers(world: Consortium) -> None:
    buyer = Caller(world, "buyer")
    as_if_working(buyer)
    for certificate in ("tls", "signing"):
        ends = figure(buyer, f'ledger_node_certificate_end_seconds{{certificate="{certificate}"}}')
        assert 360 <= (dt.datetime.fromtimestamp(ends, dt.UTC) - dt.datetime.now(dt.UTC)).days <= 365
    for folder in ("node", "vault"):
        free = figure(buyer, f'ledger_node_disk_free_bytes{{folder="{folder}"}}')
        assert 0 < free < figure(buyer, f'ledger_node_disk_size_bytes{{folder="{folder}"}}')
    assert figure(buyer, 'ledger_node_worker_up{worker="outbox"}') == 1
    assert (figure(buyer, "ledger_node_peer_up"), figure(buyer, "ledger_node_peer_height")) == (1, 0)


def test_a_ledger_that_hangs_does_not_hang_who_asks_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_view, "ANSWER_SECONDS_MAX", 0.1)
    answers, asked = threading.Event(), []

    def height() -> int:
        asked.append(1)
        answers.wait(60)
        return 7

    view = LedgerView(height)
    assert [view.look().height for _ in range(3)] == [None, None, None]
    assert len(asked) == 1
    answers.set()
    eventually(lambda: view.look().height == 7, "the answer came at last")
