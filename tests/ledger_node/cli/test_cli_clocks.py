"""`ledger-node doctor` compares clocks with whoever tells the time, and names who is off by more than a minute."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, organisations

from ledger_node.cli import clocks, main
from ledger_node.verification.exchange import Unavailable
from network import components
from network.topology import Topology, demo_topology, free_base_port


class _Operations(BaseHTTPRequestHandler):
    """Says that it is well, at another time."""

    seconds = 0.0

    def do_GET(self) -> None:
        self.send_response_only(200)
        if self.seconds < 1e6:
            there = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.seconds)
            self.send_header("Date", email.utils.format_datetime(there, usegmt=True))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Topology]:
    """A network of which only the buyer's peer runs, whose clock is that of `_Operations`."""
    topology = demo_topology(tmp_path, free_base_port(30000, 32000))
    topology.save(tmp_path / "network.yaml")
    server = HTTPServer(("127.0.0.1", topology.organisation("buyer").ports.peer_operations), _Operations)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield topology
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("seconds", "state", "told"),
    [
        (0, "ok", "1 others agree to a minute"),
        (-50, "ok", "1 others agree to a minute"),
        (-90, "missing", "buyer.peer is"),
        (600, "missing", "s ahead"),
    ],
)
def test_a_peer_whose_clock_is_off_by_more_than_a_minute_is_named(
    peer: Topology, monkeypatch: pytest.MonkeyPatch, seconds: float, state: str, told: str
) -> None:
    monkeypatch.setattr(_Operations, "seconds", seconds)
    done = CliRunner().invoke(main, ["doctor", "--json", "--network", str(peer.data.parent / "network.yaml")])
    (found,) = (each for each in json.loads(done.stdout)["result"]["checks"] if each["name"] == "clocks")
    assert (found["state"], told in found["detail"]) == (state, True), found
    if state == "missing":
        assert done.exit_code == 2
        assert "NTP" in found["remedy"]


def test_a_process_that_does_not_tell_the_time_says_nothing_of_clocks(
    peer: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Operations, "seconds", 1e9)
    assert components.clock(peer.organisation("buyer").ports.peer_operations) is None
    assert list(clocks.of_components(peer)) == []


def test_clocks_of_the_other_organisations_nodes_are_compared_over_their_own_doors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    settings = world.settings["supplier"]
    try:
        for name in ORGANISATIONS:
            world.serve(name)
        world.start()
        world.found()
        offsets = {each.whose: each.seconds for each in clocks.of_nodes(settings)}
        assert set(offsets) == {f"the node of {msp_id}" for msp_id in (BUYER, FINANCIER, CARRIER)}
        assert all(abs(seconds) < clocks.CLOCK_SECONDS_MAX for seconds in offsets.values())
        exchange = world["supplier"].exchange
        with pytest.raises(Unavailable):
            exchange.clock(world.peer_url("buyer"), CARRIER)  # who claims to be another one is not asked
        with pytest.raises(Unavailable, match="no TLS root"):
            exchange.clock(world.peer_url("buyer"), "NobodyMSP")
        world.shut("carrier")
        own = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=300)
        monkeypatch.setattr(clocks, "utc_now", lambda: own)
        arguments = ["doctor", "--network", str(tmp_path / "none.yaml"), "--node", str(settings.directory)]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 2
        assert f"the node of {BUYER} is" in done.stdout
        assert f"the node of {FINANCIER} is" in done.stdout
        assert CARRIER not in done.stdout
        assert SUPPLIER not in done.stdout
    finally:
        world.close()


def test_a_node_that_has_never_run_knows_nobody_to_compare_with(tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    world.close()
    settings = world.settings["supplier"]
    Path(settings.directory / "readmodel.db").unlink()
    assert list(clocks.of_nodes(settings)) == []
    assert not (settings.directory / "readmodel.db").exists()
