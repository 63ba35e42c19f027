"""A buyer's node answers invoices by itself: each change once, by what the ledger said then, whatever is killed."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from consortium import BUYER, FINANCIER, SUPPLIER
from lxml import etree
from receivers import invoice
from webhook_world import World, opened

from chaincode import records
from chaincode.records import keys
from ledger_node.errors import NodeError
from ledger_node.issuing.draft import example
from ledger_node.issuing.writing import draft_of
from ledger_node.issuing.xml import write_xml
from ledger_node.ledger.interface import Write
from ledger_node.notifications.responder import Responder
from ledger_node.notifications.responses import Responses
from ledger_node.readmodel import ReadModel

DOCUMENT = "d" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from opened(tmp_path)


class Buyer:
    """The responder of a node, its folder, and the supplier's door, which may be shut or give something else."""

    def __init__(self, world: World, msp_id: str = BUYER, sender: str = "") -> None:
        self.folder = world.home / "answers"
        self.responses = Responses(world.state, lambda: world.webhooks._now())
        said = example()
        for who, gln in (("seller", "4260000000011"), ("buyer", "8710000000017")):
            said[who] |= {"gln": gln}
        self.content = write_xml(draft_of(said, "facts"), "ubl")
        self.is_shut = False
        readmodel = ReadModel(world.ledger.database)
        rooms = self.responses, readmodel, world.ledger.database
        height = world.ledger.blocks.__len__
        self.responder = Responder(msp_id, *rooms, self._open, height, self.folder, sender)
        self.responder.put_down()  # its place: what was before is not answered

    def _open(self, document: dict[str, Any]) -> BinaryIO:
        if self.is_shut:
            raise NodeError("the node of the supplier does not answer", "It is tried again.")
        assert document["document_id"] == DOCUMENT
        return io.BytesIO(self.content)

    def turn(self) -> None:
        while self.responder.put_down():
            pass
        self.responder.write(threading.Event())

    @property
    def codes(self) -> list[str]:
        """Of the files, in the order of their blocks."""
        return [name.split("-")[2] for name in sorted(self.names, key=lambda name: (int(name.split("-")[1]), name))]

    @property
    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.xml")) if self.folder.exists() else []


def document(*invoices: str) -> Write:
    named = tuple(name.encode().hex().rjust(32, "0") for name in invoices)
    made = records.Document(
        DOCUMENT, SUPPLIER, "invoice", "application/xml", 1, "SHA-256", "a" * 64, (BUYER,), "2026-11-02", "current", "",
        named,
    )  # fmt: skip
    return Write(keys.document(DOCUMENT), records.encode(made))


def attested(party: str) -> Write:
    made = records.Attestation(DOCUMENT, party, "mismatch", "", {}, None, "2026-11-02", None, None)
    return Write(keys.attestation(DOCUMENT, party), records.encode(made))


def test_each_change_that_says_something_else_is_one_file(world: World) -> None:
    buyer = Buyer(world)
    world.ledger.write(
        [document("A"), invoice("A", "registered")],
        [attested(FINANCIER)],
        [attested(BUYER)],
        [invoice("A", "disputed")],
        [invoice("A", "approved")],
        [invoice("A", "early-paid")],
        [invoice("A", "settled")],
    )
    buyer.turn()
    assert buyer.codes == ["AB", "IP", "UQ", "AP", "PD"]
    disputed = next(path for path in buyer.folder.glob("*-UQ-*.xml"))
    root = etree.fromstring(disputed.read_bytes())
    assert root.findtext("{*}ID") == disputed.stem
    assert root.findtext("{*}IssueDate") == "2026-11-30"
    assert root.findtext(".//{*}StatusReason") == "The invoice is disputed."
    assert [row.status for row in buyer.responses.page("", "", 1, 50)[0]] == ["written"] * 5


def test_several_changes_within_one_block_are_one_answer_and_a_repetition_is_none(world: World) -> None:
    buyer = Buyer(world)
    world.ledger.write(
        [document("A"), invoice("A", "registered"), invoice("A", "approved")], [invoice("A", "approved")]
    )
    buyer.turn()
    buyer.turn()
    assert buyer.codes == ["AP"]


def test_nobody_answers_an_invoice_of_which_it_is_not_the_buyer(world: World) -> None:
    supplier = Buyer(world, SUPPLIER)
    world.ledger.write([document("A"), invoice("A", "registered")], [attested(SUPPLIER)])
    supplier.turn()
    assert supplier.responses.page("", "", 1, 50) == ([], 0)


def test_what_was_before_the_first_time_is_not_answered_and_what_comes_after_is(world: World) -> None:
    world.ledger.write([document("A"), invoice("A", "registered")])
    buyer = Buyer(world)
    world.ledger.write([invoice("A", "approved")])
    buyer.turn()
    assert buyer.codes == ["AP"]


def test_what_a_read_model_that_is_made_anew_comes_to_later_is_not_answered_either(world: World) -> None:
    world.ledger.write([document("A"), invoice("A", "registered")], [invoice("A", "approved")])
    blocks = world.ledger.blocks
    world.ledger.empty()
    buyer = Buyer(world)  # the first time, right after an upgrade
    world.ledger.fold(blocks)
    buyer.turn()
    assert buyer.responses.page("", "", 1, 9) == ([], 0)
    world.ledger.write([invoice("A", "settled")])
    buyer.turn()
    assert buyer.codes == ["PD"]


def test_killed_between_file_and_note_it_writes_the_same_file_and_a_database_of_before_doubles_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = Buyer(world)
    world.ledger.write([document("A"), invoice("A", "registered")])
    with monkeypatch.context() as killed:
        killed.setattr(buyer.responses, "written", lambda _: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            buyer.turn()
    (name,) = buyer.names
    content = (buyer.folder / f"{name}.xml").read_bytes()
    world.ledger.write([invoice("A", "approved")])
    buyer.turn()
    assert (buyer.folder / f"{name}.xml").read_bytes() == content
    assert buyer.codes == ["AB", "AP"]
    place = buyer.responses.place()
    assert place is not None
    for path in buyer.folder.iterdir():  # the access point has taken them
        path.unlink()
    buyer.responses.put(0, place.genesis_hash, [])  # a place of before
    buyer.turn()
    assert buyer.names == []


def test_an_invoice_that_cannot_be_had_now_holds_up_no_other_and_comes_later_in_order(world: World) -> None:
    buyer = Buyer(world)
    buyer.is_shut = True
    world.ledger.write([document("A"), invoice("A", "registered")], [invoice("A", "approved")])
    buyer.turn()
    rows, total = buyer.responses.page("", "waiting", 1, 50)
    assert (buyer.codes, total) == ([], 2)
    assert [row.code for row in rows if "does not answer" in row.error] == ["AB"]
    buyer.is_shut = False
    buyer.turn()
    assert buyer.codes == []  # not yet
    world.ahead += type(world.ahead)(seconds=60)
    buyer.turn()
    assert buyer.codes == ["AB", "AP"]


def test_an_invoice_without_address_is_named_with_its_remedy_and_the_next_one_is_answered(world: World) -> None:
    buyer = Buyer(world, sender="0088:8710000000017")
    said, addressed = example(), buyer.content
    for who in ("seller", "buyer"):
        said[who] = {name: value for name, value in said[who].items() if name not in ("gln", "legal_id_scheme")}
    buyer.content = write_xml(draft_of(said, "facts"), "ubl")
    world.ledger.write([document("A", "B"), invoice("A", "registered")])
    buyer.turn()
    ((row,), _) = buyer.responses.page("", "failed", 1, 50)
    assert "no electronic address of the supplier" in row.error and "SCHEME:ID" in row.error
    buyer.content = addressed
    world.ledger.write([invoice("B", "registered")])
    buyer.turn()
    assert buyer.codes == ["AB"]
    buyer.responses.try_failed_again()  # as a node does that starts again
    buyer.turn()
    assert buyer.codes == ["AB", "AB"]


def test_another_ledger_is_answered_from_its_first_block_on(world: World) -> None:
    buyer = Buyer(world)
    world.ledger.write([document("A"), invoice("A", "registered")])
    buyer.turn()
    world.ledger.empty()
    blocks = world.ledger.blocks
    world.ledger.blocks = []
    world.ledger.fold(blocks, "cd" * 32)
    buyer.turn()
    place = buyer.responses.place()
    assert place is not None and (place.genesis_hash, place.next_block) == ("cd" * 32, len(blocks))


def test_hundreds_that_wait_for_their_time_hold_up_none_that_is_due(world: World) -> None:
    buyer = Buyer(world)
    buyer.is_shut = True
    names = [f"W{number}" for number in range(501)]
    world.ledger.write([document("B"), *(invoice(name, "registered") for name in names)])
    buyer.turn()
    buyer.is_shut = False
    world.ahead -= type(world.ahead)(hours=1)  # however long that took, nothing of it is due again
    world.ledger.write([invoice("B", "registered"), invoice(names[0], "approved")])
    buyer.turn()
    assert buyer.codes == ["AB"]
    assert buyer.responses.page("", "waiting", 1, 1)[1] == 502


def test_what_was_before_and_after_an_attestation_is_written_in_that_order(world: World) -> None:
    buyer = Buyer(world)
    world.ledger.write([document("A"), invoice("A", "disputed")], [attested(BUYER)], [invoice("A", "registered")])
    buyer.is_shut = True
    buyer.turn()
    blocks = [(row.code, row.block_number) for row in buyer.responses.page("", "", 1, 9)[0]]
    assert blocks == [("IP", 2), ("UQ", 0)]
