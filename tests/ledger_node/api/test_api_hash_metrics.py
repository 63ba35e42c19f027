"""What a node's metrics say of hashing: by whom, for whom, and how the service of the machine is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import Caller, People, invoice_file
from consortium import BUYER, Consortium, eventually, organisations
from hash_backends import Wide
from hash_service_world import client, documents, served

from ledger_node.hashing.hasher import Hasher


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path, scrub=False)
    world.serve("supplier")
    world.start("supplier", "buyer", "financier", "carrier")
    people = People(world)
    people.found()
    yield people
    world.close()


def metrics(caller: Caller) -> dict[str, float]:
    """The figures about hashing, by their names with labels."""
    text = caller.http.get("/metrics").get_data(as_text=True)
    found = re.findall(r"^ledger_node_hash_(.+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_what_workers_and_the_service_hash_is_in_the_metrics(
    people: People, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer, place = people.buyer, tmp_path_factory.mktemp("s") / "hash.sock"
    before = sum(value for name, value in metrics(buyer).items() if name.startswith("worker_documents"))
    uploaded = people.supplier.upload("invoice", "application/xml", invoice_file("INV-COUNTED"), [BUYER])
    assert uploaded.status == 201
    eventually(
        lambda: sum(value for name, value in metrics(buyer).items() if name.startswith("worker_documents")) > before,
        "the buyer's verifier has hashed it",
    )
    hasher = client(place)
    monkeypatch.setattr(buyer.node, "hasher", hasher)
    assert metrics(buyer)["service_up"] == 0
    paths, _ = documents(tmp_path_factory.mktemp("d"), 3)
    with served(place, Hasher(Wide())):
        hasher.hash_batch([*paths, b"a buffer"])
        found = metrics(buyer)
    size_bytes = sum(path.stat().st_size for path in paths)
    assert found['documents{by="service"}'] == 3
    assert found['documents{by="own cores"}'] == 1
    assert found["service_up"] == 1
    assert found['service_hashed{unit="documents"}'] == 3
    assert found['service_hashed{unit="bytes"}'] == size_bytes
    assert found['service_waiting{unit="documents"}'] == 0
    assert found["service_gpu_lost"] == 0
    assert {'service_rate{unit="documents"}', 'service_rate{unit="bytes"}'} <= found.keys()
