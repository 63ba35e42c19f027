"""The alert rules that are shipped: Prometheus takes them, their metrics exist, and they ring when they should."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from network import components
from network.topology import Topology

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "monitor.md"
RULES = PAGE.with_name("alerts.yml")
SCRAPED_BY_PROMETHEUS = {"up"}
STORIES: dict[str, dict[str, str]] = {
    "NodePeerUnreachable": {'ledger_node_peer_up{instance="a"}': "1 1 0x10"},
    "NodeLags": {'ledger_node_lag_blocks{instance="a"}': "51x10"},
    "NodeBacklogStands": {
        'ledger_node_outbox_depth{instance="a"}': "3x10",
        'ledger_node_block_number{instance="a"}': "7x10",
    },
    "OrderingStands": {
        'consensus_smartbft_pool_count_of_elements{channel="scf",instance="a"}': "2x10",
        'consensus_BFT_committed_block_number{channel="scf",instance="a"}': "9x10",
    },
    "OrderersDisagree": {
        'consensus_smartbft_view_leader_id{channel="scf",instance="a"}': "1x10",
        'consensus_smartbft_view_leader_id{channel="scf",instance="b"}': "2x10",
    },
    "PeerWithoutChannel": {'up{job="fabric-peer",instance="a"}': "1x10"},
    "NodeDiskLow": {
        'ledger_node_disk_free_bytes{instance="a",folder="node"}': "9x10",
        'ledger_node_disk_size_bytes{instance="a",folder="node"}': "100x10",
    },
}
"""By alert, series (one value a minute) that make it ring by the eighth minute."""
CONTROLS: dict[str, dict[str, str]] = {
    "NodePeerUnreachable": {'ledger_node_peer_up{instance="a"}': "1x10"},
    "NodeLags": {'ledger_node_lag_blocks{instance="a"}': "50x10"},
    "NodeBacklogStands": {
        'ledger_node_outbox_depth{instance="a"}': "3x10",
        'ledger_node_block_number{instance="a"}': "7+1x10",
    },
    "OrderingStands": {
        'consensus_smartbft_pool_count_of_elements{channel="scf",instance="a"}': "2x10",
        'consensus_BFT_committed_block_number{channel="scf",instance="a"}': "9+1x10",
    },
    "OrderersDisagree": {
        'consensus_smartbft_view_leader_id{channel="scf",instance="a"}': "2x10",
        'consensus_smartbft_view_leader_id{channel="scf",instance="b"}': "2x10",
    },
    "PeerWithoutChannel": {
        'up{job="fabric-peer",instance="a"}': "1x10",
        'ledger_blockchain_height{channel="scf",instance="a"}': "3x10",
    },
    "NodeDiskLow": {
        'ledger_node_disk_free_bytes{instance="a",folder="node"}': "10x10",
        'ledger_node_disk_size_bytes{instance="a",folder="node"}': "100x10",
    },
}
"""The same, with one thing different: nothing rings."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def selectors(expression: Any) -> Iterator[str]:
    """The names of all metrics in a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield str(expression.name)
    for part in ("lhs", "rhs", "expr", "args", "vector_selector"):
        below = getattr(expression, part, None)
        for each in below if isinstance(below, list | tuple) else [below] if below is not None else []:
            yield from selectors(each)


def dashboards() -> dict[str, Any]:
    """Those for Grafana, by the name of their file."""
    return {path.name: json.loads(path.read_text()) for path in sorted(RULES.parent.glob("dashboard-*.json"))}


def asked() -> list[str]:
    """All expressions of the rules and of the dashboards' panels."""
    panels = [panel for board in dashboards().values() for panel in board["panels"]]
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels for target in panel["targets"]]


def metrics_used() -> set[str]:
    return {name for each in asked() for name in selectors(promql_parser.parse(each))} - SCRAPED_BY_PROMETHEUS


def of_nodes() -> set[str]:
    return {name for name in metrics_used() if name.startswith(("ledger_node_", "http_"))}


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if found is None:
        pytest.skip("NO PROMTOOL: the rules were parsed, but not checked; `make test` gets it (Debian: prometheus)")
    return found


def test_every_rule_is_an_expression_with_a_severity_and_words() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        promql_parser.parse(rule["expr"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


def test_prometheus_takes_the_rules(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


@pytest.mark.parametrize("alert", STORIES)
def test_an_alert_rings_and_its_control_does_not(promtool: str, tmp_path: Path, alert: str) -> None:
    assert rings(promtool, tmp_path, alert, STORIES[alert])
    assert not rings(promtool, tmp_path, alert, CONTROLS[alert])


def rings(promtool: str, folder: Path, alert: str, series: dict[str, str]) -> bool:
    """Whether the alert rings at the eighth minute: promtool says which alerts it got when none is expected."""
    story = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": "8m", "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    path = folder / "story.yml"
    path.write_text(yaml.safe_dump(story))
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or f'alertname="{alert}"' in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode != 0


@pytest.mark.network
def test_orderers_and_peers_serve_what_the_rules_ask_for(network: Topology) -> None:
    own = network.organisations[0].ports
    served = {*components.series(own.orderer_operations), *components.series(own.peer_operations)}
    names = {series.partition("{")[0] for series in served}
    assert metrics_used() - of_nodes() <= names


def test_the_page_says_what_each_metric_of_a_node_is_that_the_rules_and_dashboards_ask_for() -> None:
    page = PAGE.read_text()
    assert {name for name in of_nodes() if f"`{name.removesuffix('_bucket')}`" not in page} == set()


def test_a_dashboard_can_be_imported_into_any_grafana() -> None:
    """It names no data source of ours, and no two panels lie on each other."""
    assert set(dashboards()) == {"dashboard-network.json", "dashboard-node.json"}
    for name, board in dashboards().items():
        assert f"({name})" in PAGE.read_text()
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${datasource}"}
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
        assert len(places) == len(board["panels"]) == len({panel["id"] for panel in board["panels"]})
        assert "datasource" in {variable["name"] for variable in board["templating"]["list"]}
