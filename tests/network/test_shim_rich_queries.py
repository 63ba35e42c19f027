"""Rich queries, and every query that pages, on real peers whose state lies in PouchDB behind CouchDB's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich_network import rich_network
from shim_contract import COLLECTION, Caller

from network.gateway import EvaluateError
from network.topology import Topology

pytestmark = [pytest.mark.network, pytest.mark.long]  # it takes node and npm


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with rich_network(tmp_path_factory.mktemp("rich")) as topology:
        yield topology


@pytest.fixture(scope="module")
def supplier(rich: Topology) -> Caller:
    return Caller(rich, "supplier")


def selector(**fields: Any) -> str:
    return json.dumps({"selector": fields})


def put_documents(caller: Caller, owner: str, count: int) -> list[str]:
    """Keys of new documents of that owner, written in one transaction."""
    caller.send("fill", owner, str(count), json.dumps({"owner": owner}))
    return [f"{owner}{number:05}" for number in range(count)]


def pages(caller: Caller, *arguments: str) -> list[list[str]]:
    """The keys of each page, until a page says that it is the last."""
    found, bookmark = [], ""
    while True:
        keys, bookmark = caller.ask(*arguments, bookmark)
        found.append(keys)
        if not bookmark:
            return found


def together(found: list[list[str]]) -> list[str]:
    return [key for page in found for key in page]


def test_a_query_finds_what_was_committed_by_its_fields_and_not_what_is_no_document(supplier: Caller, key: str) -> None:
    for number in range(3):
        supplier.send("put", f"{key}{number}", json.dumps({"owner": key, "number": number}))
    supplier.send("put", f"{key}9", f"of {key}, but no document")
    assert supplier.ask("rich", selector(owner=key)) == [f"{key}{number}" for number in range(3)]
    assert supplier.ask("rich", selector(owner=key, number={"$gt": 0})) == [f"{key}1", f"{key}2"]
    assert supplier.ask("rich", selector(owner="nobody")) == []
    supplier.send("put", f"{key}1", json.dumps({"owner": "somebody else"}))
    supplier.send("delete", f"{key}2")
    assert supplier.ask("rich", selector(owner=key)) == [f"{key}0"]
    plain, document = supplier.ask("get", f"{key}9", f"{key}1")
    assert (plain, json.loads(document)) == (f"of {key}, but no document", {"owner": "somebody else"})


def test_a_query_longer_than_the_peers_and_its_databases_answers_is_read_whole(supplier: Caller, key: str) -> None:
    keys = put_documents(supplier, key, 1100)
    assert supplier.ask("rich", selector(owner=key)) == keys
    assert supplier.ask("count", key, key + ":") == len(keys)


@pytest.mark.parametrize(("count", "sizes"), [(25, [10, 10, 5]), (20, [10, 10, 0]), (0, [0])])
def test_pages_of_a_query_end_with_an_empty_bookmark(supplier: Caller, key: str, count: int, sizes: list[int]) -> None:
    keys = put_documents(supplier, key, count)
    found = pages(supplier, "rich_page", selector(owner=key), "10")
    assert ([len(page) for page in found], together(found)) == (sizes, keys)


@pytest.mark.parametrize(("count", "sizes"), [(25, [10, 10, 5]), (20, [10, 10])])
def test_pages_of_ranges_and_composite_keys_end_with_an_empty_bookmark_too(
    supplier: Caller, key: str, count: int, sizes: list[int]
) -> None:
    keys = put_documents(supplier, key, count)
    found = pages(supplier, "page", key, key + ":", "10")
    assert ([len(page) for page in found], together(found)) == (sizes, keys)
    for thing in keys[:4]:
        supplier.send("register", key, thing)
    assert pages(supplier, "things_page", key, "2") == [keys[:2], keys[2:4]]
    assert pages(supplier, "things_page", key, "3") == [keys[:3], keys[3:4]]


def test_a_query_of_a_collection_finds_its_documents_only(supplier: Caller, key: str) -> None:
    secret = {"transient": {"secret": json.dumps({"owner": key})}, "organisations": (supplier.msp_id,)}
    supplier.send("keep_secret", COLLECTION, f"{key}-secret", **secret)
    put_documents(supplier, key, 1)
    assert supplier.ask("rich_secrets", COLLECTION, selector(owner=key)) == [f"{key}-secret"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("no query", "PeerError: GET_QUERY_RESULT failed: .*invalid character"),
        (selector(owner={"$nonsense": 1}), "PeerError: GET_QUERY_RESULT failed: .*nonsense"),
    ],
)
def test_a_query_that_the_database_refuses_is_the_peers_error(supplier: Caller, query: str, text: str) -> None:
    for arguments in (("rich", query), ("rich_page", query, "5")):
        with pytest.raises(EvaluateError, match=text):
            supplier.ask(*arguments)
