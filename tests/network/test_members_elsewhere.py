"""What a host says and decides of organisations that run elsewhere: it cannot ask their processes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from founders import begun

from network import agreement, orderers
from network.agreement import Standing
from network.orderers import CONSENTER, Consenter, OrdererSight
from network.status import _Look, _Sight
from network.topology import Other, Topology
from network.watch import sight

LEADS = OrdererSight(5, CONSENTER, leads=True, leader=1, view=0, waiting=0)
FOLLOWS = OrdererSight(5, CONSENTER, leads=False, leader=2, view=0, waiting=0)


@pytest.fixture
def listening() -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


@pytest.fixture
def topology(tmp_path: Path, listening: socket.socket) -> Topology:
    """The buyer's host; the supplier's peer listens, the carrier's and both orderers do not."""
    own = begun(tmp_path, "buyer", host="127.0.0.1")
    here = listening.getsockname()[1]
    others = (
        Other(name="supplier", msp_id="SupplierMSP", host="127.0.0.1", orderer=1, peer=here),
        Other(name="carrier", msp_id="CarrierMSP", host="127.0.0.1", orderer=2, peer=3),
    )
    return own.model_copy(update={"others": others})


def look(seen: OrdererSight, *, whole: bool) -> _Look:
    return _Look(0.0, {"buyer.orderer": _Sight(1, "", seen.height, seen)}, whole)


def test_a_leader_elsewhere_is_no_disagreement_and_one_that_should_be_here_is() -> None:
    assert look(FOLLOWS, whole=False).agrees()
    assert not look(FOLLOWS, whole=True).agrees()
    assert look(LEADS, whole=False).agrees()


def test_the_leader_is_named_though_it_runs_elsewhere(topology: Topology) -> None:
    known = [Consenter(1, "127.0.0.1", 7050, b""), Consenter(2, "127.0.0.1", 1, b"")]
    assert orderers.leader_name(topology, known, 2) == "supplier"
    assert orderers.leader_name(topology, known, 1) == "buyer"


def test_a_supervisor_sees_of_others_only_whether_they_greet(topology: Topology) -> None:
    seen = sight.look(topology, topology.organisations[0], at_others=True)
    assert [(each.name, each.reachable, each.sight) for each in seen.neighbours] == [
        ("supplier", False, None),
        ("carrier", False, None),
    ]


def standing(**approvals: bool) -> Standing:
    named = {f"{name}MSP": approved for name, approved in approvals.items()}
    return Standing("v", "id", 1, "", 0, named)


def test_who_is_away_need_not_endorse_a_commit_that_the_rest_is_enough_for(topology: Topology) -> None:
    all_three = standing(Buyer=True, Supplier=True, Carrier=True)
    assert agreement.endorsers(topology, all_three) == ["BuyerMSP", "SupplierMSP"]
    just_enough = standing(Buyer=True, Carrier=True, Supplier=False)
    assert agreement.endorsers(topology, just_enough) == ["BuyerMSP", "CarrierMSP"]


def test_more_than_half_have_to_approve() -> None:
    assert not standing(Buyer=True, Supplier=True, Carrier=False, Financier=False).is_approved
    assert standing(Buyer=True, Supplier=True, Carrier=True, Financier=False).is_approved
    assert not standing(Buyer=True, Supplier=False).is_approved
