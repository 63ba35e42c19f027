"""Every peer that runs the contract must write the same bytes: nothing in it may differ from process to process."""

from __future__ import annotations

import pytest
from determinism import offences
from imports import modules

CONTRACT = {
    name: path
    for name, path in modules().items()
    if name.startswith("chaincode") and not name.startswith(("chaincode.shim", "chaincode.main"))
}


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_nothing_of_the_contract_differs_from_peer_to_peer(name: str) -> None:
    assert offences(CONTRACT[name].read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from os import environ",
        "import datetime\nday = datetime.datetime.now(datetime.UTC)",
        "import datetime as dt\nday = dt.date.today()",
        "from datetime import datetime\nday = datetime.utcnow()",
        "half = amount / 2",
        "amount /= 2",
        "rate = 0.5",
        "rate = float(text)",
        "for each in {1, 2}:\n    write(each)",
        "parties = set(names)\nfor each in parties:\n    write(each)",
        "def f(names: frozenset[str]):\n    return [g(each) for each in names]",
        "def f() -> set[str]: ...\nwritten = ', '.join(f())",
        "class A:\n    names: set[str]\ndef f(a):\n    return tuple(a.names)",
        "for each in old.keys() & new.keys():\n    write(each)",
        "rest = set(a) - set(b)\nfirst = next(iter(rest))",
        "record = {each: 1 for each in set(names)}",
        "first = set(names).pop()",
        "both = [*set(names)]",
        "order = hash(name)",
    ],
)
def test_a_planted_difference_between_peers_is_caught(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\nday = datetime.date.fromisoformat(text)",
        "half = amount // 2",
        "for each in sorted(set(names)):\n    write(each)",
        "twice = len(set(names)) != len(names)",
        "known = any(each == name for each in set(names))",
        "for each in names:\n    write(each)",
        "left = sorted(old.keys() & new.keys())",
    ],
)
def test_what_is_the_same_everywhere_is_left_alone(source: str) -> None:
    assert offences(source) == []
