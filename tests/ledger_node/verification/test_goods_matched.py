"""Goods that verifiers count: an invoice is matched with its proofs whichever came first, and a part is never paid."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from api_world import Caller
from consortium import (
    BUYER,
    CARRIER,
    FACE_MINOR,
    FINANCIER,
    ORGANISATIONS,
    Consortium,
    Trade,
    eventually,
    organisations,
)
from goods_papers import despatch_advice

from ledger_node.formats.fingerprints import order

GTIN = "07611104117056"
ITEM = f"""<cac:Item>
      <cbc:Name>Roller bearings, as ordered</cbc:Name>
      <cac:StandardItemIdentification><cbc:ID schemeID="0160">{GTIN}</cbc:ID></cac:StandardItemIdentification>"""


class GoodsTrade(Trade):
    """A trade whose invoice bills pieces of a GTIN; its proof is a despatch advice of so many of them."""

    def __init__(self, despatched: str, days_ago: int) -> None:
        super().__init__(f"INV {days_ago}")
        issued = (self.today - datetime.timedelta(days=days_ago)).isoformat()
        today = f"<cbc:IssueDate>{self.today.isoformat()}<".encode()
        self.invoice = self.invoice.replace(today, f"<cbc:IssueDate>{issued}<".encode())
        named = self.invoice.replace(
            b"<cac:Item>\n      <cbc:Name>Roller bearings, as ordered</cbc:Name>", ITEM.encode()
        )
        assert named != self.invoice
        self.invoice = named
        self.advice = despatch_advice(self.shipment_reference, [("1", GTIN, despatched, "C62")])

    def approve(self, world: Consortium) -> None:
        """Under a reference of the buyer's that is this trade's own."""
        world.do(
            "buyer",
            "ApproveInvoice",
            invoice_id=self.invoice_id,
            amount_minor=FACE_MINOR,
            currency="EUR",
            due_date=self.due.isoformat(),
            buyer_reference=order(world["buyer"].fingerprint_key, BUYER, self.shipment_reference),
        )

    def upload(self, world: Consortium) -> None:
        """The despatch advice is the proof."""
        self.document_id = world.upload("supplier", "invoice", "application/xml", self.invoice, [BUYER, FINANCIER])
        who = [BUYER, FINANCIER, CARRIER]
        self.proof_id = world.upload("supplier", "transport_events", "application/xml", self.advice, who)


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


def _match(world: Consortium, trade: Trade, who: str) -> dict[str, Any] | None:
    said = world["supplier"].readmodel.record(f"attestation/{trade.document_id}/{who}")
    return None if said is None else said["match"]


def test_goods_that_left_as_billed_are_paid_and_goods_that_left_in_part_are_not(world: Consortium) -> None:
    world.found()
    full, part = GoodsTrade("1", days_ago=0), GoodsTrade("0.4", days_ago=1)
    for trade in (part, full):
        trade.play(world)
    eventually(partial(full.paid_on, world, "supplier"), "the control is paid")
    for who in (BUYER, FINANCIER):
        eventually(lambda who=who: _match(world, part, who), f"{who} matches")  # type: ignore[misc]
        said = _match(world, part, who)
        assert said == {
            "verdict": "part",
            "short_bps": 6_000,
            "off_days": 0,
            "lines": ["1"],
            "proof_ids": [part.proof_id],
            "unclear": False,
        }
    query = {"version": 1, "query": {"type": "ReleaseCheck", "invoice_id": part.invoice_id}}
    check = world["supplier"].ledger.evaluate(json.dumps(query).encode())
    (delivery,) = [one for one in json.loads(check)["result"]["classes"] if one["class"] == "DELIVERY"]
    assert (delivery["verdict"], delivery["reason"]) == ("INVALID", "PARTIAL_DELIVERY")
    assert "line 1" in delivery["text"]
    assert not part.paid_on(world, "supplier")
    caller = Caller(world, "financier")
    shown = caller.get(f"/v1/invoices/{part.invoice_id}/match")
    assert shown.status == 200
    (row,) = shown.body["rows"]
    assert row == {
        "lines": ["1"],
        "item": f"gtin {GTIN}",
        "unit": "pieces",
        "billed": "1",
        "despatched": "0.4",
        "delivered": "",
        "state": "part",
        "short_bps": 6_000,
    }
    assert {said["party"] for said in shown.body["attested"]} == {BUYER, FINANCIER}
    for_nobody = Caller(world, "carrier").get(f"/v1/invoices/{part.invoice_id}/match")
    assert (for_nobody.body["verdict"], len(for_nobody.body["notes"])) == ("nothing", 1)
