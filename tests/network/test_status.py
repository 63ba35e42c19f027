"""What is concluded of what orderers and peers say: a network that answers and does not move is not healthy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from network import orderers, status
from network.identities import ensure_identities
from network.orderers import CONSENTER, FOLLOWER, OTHER_CERTIFICATE, REMOVED, Consenter, OrdererSight
from network.status import SETTLE_SECONDS_MAX, _Look, _Sight, _standing
from network.topology import Topology, demo_topology

LEADING = OrdererSight(height=9, relation=CONSENTER, leads=True, leader=1, view=3, waiting=0)
FOLLOWING = replace(LEADING, leads=False)
NAMES = ("supplier.orderer", "buyer.orderer", "financier.orderer", "carrier.orderer")


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return demo_topology(tmp_path, 20000)


def look(at: float, *said: OrdererSight) -> _Look:
    return _Look(at, {name: _Sight(1, "", each.height, each) for name, each in zip(NAMES, said, strict=True)})


def twice(topology: Topology, before: tuple[OrdererSight, ...], after: tuple[OrdererSight, ...]) -> list[str]:
    """What two looks find, as far apart as status waits."""
    consenters = [Consenter(number, "127.0.0.1", 20000 + 10 * (number - 1), b"") for number in range(1, 5)]
    return _standing(topology, look(0.0, *before), look(SETTLE_SECONDS_MAX, *after), consenters)


@contextmanager
def metrics_served(text: str) -> Iterator[int]:
    """An operations endpoint with these metrics; its port."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def says(topology: Topology) -> Iterator[Callable[..., OrdererSight]]:
    """What is read from an orderer of the buyer, whose number is 2, with these metrics."""
    with ExitStack() as stack:

        def read(known: bool = True, **metrics: int) -> OrdererSight:
            lines = (f'{name}{{channel="{topology.channel}"}} {value}\n' for name, value in metrics.items())
            buyer = topology.organisation("buyer")
            port = stack.enter_context(metrics_served("".join(lines)))
            ports = buyer.ports.model_copy(update={"orderer_operations": port})
            entry = Consenter(2, buyer.host, buyer.ports.orderer, b"")
            return orderers.sight(topology, buyer.model_copy(update={"ports": ports}), [entry] if known else [])

        yield read


def test_whom_an_orderer_follows_is_told_by_its_view_and_not_by_the_last_block_that_it_delivered(
    says: Callable[..., OrdererSight],
) -> None:
    left_behind = {"consensus_BFT_leader_id": 2, "consensus_BFT_is_leader": 1, "consensus_smartbft_view_number": 2}
    said = says(**left_behind, consensus_smartbft_view_leader_id=3)
    assert (said.leader, said.leads, said.view) == (3, False, 2)
    leading = says(**left_behind, consensus_smartbft_view_leader_id=2)
    assert (leading.leader, leading.leads) == (2, True)
    assert says(known=False, **left_behind, consensus_smartbft_view_leader_id=3).leads


def test_a_settled_network_orders(topology: Topology) -> None:
    settled = (LEADING, FOLLOWING, FOLLOWING, FOLLOWING)
    assert look(0.0, *settled).is_settled()
    assert twice(topology, settled, settled) == []


def test_transactions_that_wait_while_no_block_comes_are_told_and_those_that_pass_are_not(topology: Topology) -> None:
    keeping = tuple(replace(each, waiting=2) for each in (LEADING, FOLLOWING, FOLLOWING, FOLLOWING))
    (finding,) = twice(topology, keeping, keeping)
    assert finding.startswith("ordering stands: transactions wait (2 at supplier.orderer, 2 at buyer.orderer")
    moving = tuple(replace(each, height=10) for each in keeping)
    assert twice(topology, keeping, moving) == []


def test_two_that_ask_for_another_leader_in_vain_are_told_and_one_alone_or_a_change_that_succeeds_is_not(
    topology: Topology,
) -> None:
    """A network that is cut two and two: nothing waits, and all are still in the view that they were in."""
    calm = (LEADING, FOLLOWING, FOLLOWING, FOLLOWING)
    cut = (LEADING, FOLLOWING, *[replace(FOLLOWING, wishes=True)] * 2)
    (finding,) = twice(topology, cut, cut)
    assert finding.startswith("ordering stands: financier.orderer, carrier.orderer ask for another leader")
    assert not look(0.0, *cut).is_settled()
    assert twice(topology, cut, calm) == []
    assert twice(topology, cut, tuple(replace(each, height=10) for each in cut)) == []
    alone = (LEADING, FOLLOWING, FOLLOWING, replace(FOLLOWING, wishes=True))
    assert twice(topology, alone, alone) == []


def test_what_an_orderer_wishes_is_read_from_its_metrics(says: Callable[..., OrdererSight]) -> None:
    view = {"consensus_smartbft_viewchange_real_view": 3}
    assert says(**view, consensus_smartbft_viewchange_next_view=4).wishes
    assert not says(**view, consensus_smartbft_viewchange_next_view=3).wishes


@pytest.mark.parametrize(
    ("leader", "odd"),
    [
        (LEADING, replace(FOLLOWING, leader=2)),  # follows another leader
        (LEADING, replace(FOLLOWING, view=4)),  # is in another view
        (LEADING, replace(FOLLOWING, leads=True)),  # leads, too
        (FOLLOWING, FOLLOWING),  # nobody leads
    ],
)
def test_orderers_that_do_not_follow_one_leader_are_told(
    topology: Topology, leader: OrdererSight, odd: OrdererSight
) -> None:
    said = (leader, FOLLOWING, FOLLOWING, odd)
    (finding,) = twice(topology, said, said)
    assert finding.startswith("the orderers have no leader that all of them follow: ")
    assert "carrier.orderer follows" in finding


def test_an_orderer_is_what_the_channel_says_and_not_what_it_takes_itself_for(topology: Topology) -> None:
    ensure_identities(topology)
    own = topology.organisation("buyer")
    certificate = topology.folders("buyer").orderer.certificate.read_bytes()
    entry = Consenter(2, own.host, own.ports.orderer, certificate)
    other = Consenter(1, own.host, own.ports.orderer + 1, certificate)
    assert orderers.relation(topology, own, [other, entry], CONSENTER) == CONSENTER
    assert orderers.relation(topology, own, [other], CONSENTER) == REMOVED
    assert orderers.relation(topology, own, [other], FOLLOWER) == FOLLOWER
    renewed = replace(entry, certificate=b"another")
    assert orderers.relation(topology, own, [other, renewed], CONSENTER) == OTHER_CERTIFICATE
    assert orderers.relation(topology, own, [], FOLLOWER) == FOLLOWER  # no peer says: its own word must do
    assert set(status.WORDS) == {FOLLOWER, REMOVED, OTHER_CERTIFICATE}


def test_the_number_of_a_consenter_names_an_organisation(topology: Topology) -> None:
    buyer = topology.organisation("buyer")
    known = [Consenter(7, buyer.host, buyer.ports.orderer, b"")]
    assert orderers.leader_name(topology, known, 7) == "buyer"
    assert orderers.leader_name(topology, known, 8) is None
    assert orderers.leader_name(topology, known, None) is None
