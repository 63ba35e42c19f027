"""A node restored from an hour ago: what it had queued then, and has sent since, moves no money twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import DEPOSIT, Caller, People, invoice_file
from backup_world import silent
from consortium import BUYER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations
from sealing import NOW, the_officer

from ledger_node.api.app import create_user_app
from ledger_node.backup.inventory import of_node
from ledger_node.backup.restoring import Wanted, restore_backup
from ledger_node.backup.writing import write_backup
from ledger_node.check import check_node
from ledger_node.config import load_settings
from ledger_node.node import Node, open_node
from ledger_node.readmodel.tables import dump


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    home = tmp_path / "here"
    (home / "authority").mkdir(parents=True)
    organisations(home / "authority")
    world = Consortium(home, home / "authority")
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    made = People(world)
    made.found()
    yield made
    world.close()


def pay(caller: Caller, amount: str, key: str, wait: int = 30) -> str:
    """The supplier pays the buyer. Returns: how the submission stands."""
    body = {"deposit": DEPOSIT, "to": BUYER, "amount": amount}
    reply = caller.post("approver", "/v1/deposits/transfers", body, key=key, wait=wait)
    assert reply.status in (200, 202), reply
    return str(reply.body["status"])


def cash(node: Node) -> dict[str, int]:
    """The supplier's and the buyer's cash, in cents, as a node shows it."""
    rows = node.readmodel.accounts(book="cash")
    return {row["party"]: abs(row["balance_minor"]) for row in rows if row["party"] in (SUPPLIER, BUYER)}


def read_model(node: Node) -> dict[str, list[tuple[Any, ...]]]:
    with node.readmodel_database.read() as session:
        return dump(session)


def speak_to(caller: Caller, node: Node) -> None:
    """The same people with the same tokens ask this node from now on."""
    caller.node, caller.http = node, create_user_app(node).test_client()


def test_a_node_restored_from_an_hour_ago_on_an_empty_machine_pays_nothing_twice_and_shows_the_same(
    people: People, tmp_path: Path
) -> None:
    world, supplier = people.world, people.supplier
    issued = {"deposit": DEPOSIT, "to": SUPPLIER, "amount": "1000.00", "credit_reference": "CAMT 1"}
    assert people.financier.post("issuer", "/v1/deposits", issued | {"booked_on": people.day.isoformat()}).status == 200
    assert pay(supplier, "100.00", "before") == "applied"
    paper = supplier.upload("invoice", "application/xml", invoice_file(), [BUYER, FINANCIER])
    assert paper.status == 201, paper

    # 1. An hour ago: one payment waits in the outbox.
    world.stop("supplier")
    speak_to(supplier, world["supplier"])
    assert pay(supplier, "200.00", "waiting", wait=0) == "waiting"
    settings, backup = world.settings["supplier"], tmp_path / "hourly.backup"
    write_backup(of_node(settings), backup, [the_officer().locking], silent, NOW)

    # 2. Since then that one was sent, and another one was asked for and sent.
    world.start("supplier")
    assert pay(supplier, "200.00", "waiting") == "applied"
    assert pay(supplier, "300.00", "since") == "applied"
    eventually(lambda: cash(world["buyer"]) == {SUPPLIER: 40_000, BUYER: 60_000}, "the buyer sees three payments")

    # 3. The machine is lost, but not the ledger, which in this test is a file that the others have.
    world.stop("supplier")
    world.nodes["supplier"].close()
    settings.directory.rename(tmp_path / "lost")
    new = tmp_path / "new"
    restore_backup(backup, the_officer().opening, Wanted(new), silent, NOW)
    (new / "ledger.db").symlink_to(tmp_path / "here" / "ledger.db")
    world.settings["supplier"] = load_settings(new / "supplier")
    world.nodes["supplier"] = restored = open_node(world.settings["supplier"])
    speak_to(supplier, restored)
    assert restored.outbox.counts()["waiting"] == 1  # control: by the outbox it was never sent
    assert restored.outbox.by_idempotency_key("since") is None
    world.start("supplier")

    # 4. Both are asked for again, by programs that had no answer.
    assert pay(supplier, "200.00", "waiting") == "applied"
    assert pay(supplier, "300.00", "since") == "applied"
    eventually(lambda: restored.outbox.counts()["waiting"] == 0, "nothing waits")
    assert pay(supplier, "0.01", "control") == "applied"
    eventually(
        lambda: all(cash(world[name]) == {SUPPLIER: 39_999, BUYER: 60_001} for name in ORGANISATIONS),
        "all see four payments",
    )
    eventually(lambda: read_model(restored) == read_model(world["buyer"]), "it shows the same as the others")
    assert check_node(restored).well
