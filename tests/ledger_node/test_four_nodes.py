"""Four nodes on one ledger: upload, attest, pay; every node shows the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from consortium import (
    BUYER,
    FACE_MINOR,
    FINANCIER,
    ORGANISATIONS,
    SUPPLIER,
    Consortium,
    Trade,
    eventually,
    organisations,
)

from chaincode.records import keys
from ledger_node.background import projector_of
from ledger_node.check import check_node
from ledger_node.readmodel import INVOICE_SORTS
from ledger_node.readmodel.tables import dump


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


@pytest.fixture
def world(tmp_path: Path, authority: Path) -> Iterator[Consortium]:
    consortium = Consortium(tmp_path, authority)
    for name in ORGANISATIONS:
        consortium.serve(name)
    consortium.start()
    yield consortium
    consortium.close()


def test_the_last_piece_of_evidence_pays_and_every_node_shows_it(world: Consortium) -> None:
    world.found()
    trade = Trade()
    trade.play(world)
    for name in ORGANISATIONS:
        eventually(partial(trade.paid_on, world, name), f"{name} shows the payment")
    (cash,) = world["buyer"].readmodel.accounts(party=SUPPLIER, book="cash")
    paid = world["buyer"].readmodel.invoice(trade.invoice_id)
    assert paid is not None
    assert cash["balance_minor"] == paid["early_payment"]["net_minor"]
    assert paid["early_payment"]["net_minor"] + paid["early_payment"]["discount_minor"] == FACE_MINOR

    def told(what: str) -> int:
        return [each["what"] for each in world["carrier"].readmodel.timeline(trade.invoice_id)].count(what)

    eventually(lambda: told("attested verified") == 5, "the carrier's word on its proof, which no payment waits for")
    assert told("entry early_payment") == 1
    eventually(lambda: len({world[name].readmodel.block_number() for name in ORGANISATIONS}) == 1, "all are level")
    for name in ORGANISATIONS:
        assert check_node(world[name]).well


def test_a_read_model_folded_again_from_block_0_is_the_same(world: Consortium) -> None:
    world.found()
    Trade().play(world)
    world.stop("carrier")
    node = world["carrier"]
    projector_of(node).catch_up()
    with node.readmodel_database.read() as session:
        before = dump(session)
    blocks = projector_of(node).rebuild()
    assert blocks == node.ledger.height()
    with node.readmodel_database.read() as session:
        assert before == dump(session)


def test_a_swapped_file_is_attested_as_a_mismatch_by_all_and_nothing_is_paid(world: Consortium) -> None:
    world.found()
    trade = Trade()
    trade.open_facility(world)
    for stop in ("buyer", "financier", "carrier"):
        world.stop(stop)
    trade.upload(world)
    own = world["supplier"].documents.get(trade.document_id)
    assert own is not None
    world["supplier"].vault.path(own.digest).write_bytes(trade.invoice.replace(b"1.00", b"9.00") + b" ")
    world.start("buyer", "financier", "carrier")

    def verdicts() -> list[str]:
        return [each["verdict"] for each in world["supplier"].readmodel.attestations(trade.document_id)]

    eventually(lambda: verdicts() == ["mismatch", "mismatch"], "both say that it is another file")
    trade.ship(world)
    trade.register(world)
    trade.approve(world)
    query = {"version": 1, "query": {"type": "ReleaseCheck", "invoice_id": trade.invoice_id}}
    answer = json.loads(world["supplier"].ledger.evaluate(json.dumps(query).encode()))["result"]
    assert answer["status"] == "approved"
    assert [each["class"] for each in answer["classes"] if each["verdict"] == "INVALID"] == ["INTEGRITY"]


def test_a_node_that_is_down_is_unavailable_and_verified_once_it_is_back(world: Consortium) -> None:
    world.found()
    port = world.shut("supplier")
    trade = Trade()
    trade.upload(world)

    def verdicts() -> list[str]:
        return [each["verdict"] for each in world["carrier"].readmodel.attestations(trade.document_id)]

    eventually(lambda: verdicts() == ["unavailable", "unavailable"], "both say that it cannot be had")
    world.serve("supplier", port)
    eventually(lambda: verdicts() == ["verified", "verified"], "both verify it after all")


def test_what_was_traded_is_found_by_every_question(world: Consortium) -> None:
    world.found()
    trade = Trade()
    trade.play(world)
    eventually(partial(trade.paid_on, world, "buyer"), "the payment")
    readmodel = world["buyer"].readmodel
    (invoice,) = readmodel.invoices(status="early-paid", supplier=SUPPLIER, buyer=BUYER, holder=FINANCIER).items
    assert invoice == readmodel.invoice(trade.invoice_id)
    assert readmodel.invoices(status="settled").total == readmodel.invoices(holder=SUPPLIER).total == 0
    for sort in INVOICE_SORTS:
        assert readmodel.invoices(sort=sort).items == readmodel.invoices(sort=f"-{sort}").items == [invoice]
    (party,) = [each for each in readmodel.parties() if each["msp_id"] == BUYER]
    assert party == readmodel.party(BUYER)
    assert [readmodel.facility(trade.facility_id)] == readmodel.facilities()
    assert [each["supplier"] for each in readmodel.acceptances()] == [SUPPLIER]
    assert readmodel.record(keys.standing_request(SUPPLIER)) is None
    asked = readmodel.record(keys.request(trade.invoice_id))
    assert asked is not None
    assert asked["facility_ids"] == [trade.facility_id]
    assert [readmodel.shipment(trade.shipment_id)] == readmodel.records("shipment").items
    assert [each["type"] for each in readmodel.events(trade.shipment_id)] == ["delivered"]
    assert readmodel.verdicts(BUYER) == {"verified": 2}
    steps = [each["step"] for each in readmodel.entries(invoice_id=trade.invoice_id).items]
    assert steps == ["approve", "early_payment", "assignment"]
    assert readmodel.entries(unit=f"EUR@{FINANCIER}", account=f"cash:{SUPPLIER}").total == 1
    assert readmodel.entries(account=f"recv:{FINANCIER}").total == 1
    assert len(readmodel.accounts(invoice_id=trade.invoice_id)) == 3
    assert readmodel.timeline("0" * 32) == []
