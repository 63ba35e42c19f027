"""Four nodes on one ledger: upload, attest, pay; every node shows the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from consortium import FACE_MINOR, ORGANISATIONS, SUPPLIER, Consortium, Trade, eventually, organisations

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
        eventually(lambda name=name: trade.paid_on(world, name), f"{name} shows the payment")
    (cash,) = world["buyer"].readmodel.accounts(party=SUPPLIER, book="cash")
    paid = world["buyer"].readmodel.invoice(trade.invoice_id)
    assert paid is not None
    assert cash["balance_minor"] == paid["early_payment"]["net_minor"]
    assert paid["early_payment"]["net_minor"] + paid["early_payment"]["discount_minor"] == FACE_MINOR
    what = [moment["what"] for moment in world["carrier"].readmodel.timeline(trade.invoice_id)]
    assert what.count("attested verified") == 5
    assert what.count("entry early_payment") == 1
    dumps = []
    for name in ORGANISATIONS:
        heights = [world[each].readmodel.block_number() for each in ORGANISATIONS]
        eventually(lambda heights=heights: len(set(heights)) == 1 or heights, "all are level")
        with world[name].readmodel_database.read() as session:
            dumps.append(dump(session))
    assert all(each == dumps[0] for each in dumps)
