"""Records of an older version are read as the newest one, step by step; newer ones and broken ones are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from chaincode.errors import RecordError
from chaincode.records import Day, ShipmentReports, canonical, decode, decode_newest, encode, plain
from chaincode.records.codec import Upgrade, adding


def _named(old: dict[str, Any]) -> dict[str, Any]:
    """Version 3 says in one field what version 2 said in two."""
    return {"name": old["first"] + old["second"]}


@dataclass(frozen=True, slots=True)
class Grown:
    """A record in its third version; the first one had only `first`."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(second="b"), _named)

    name: str


WRITTEN = {
    "version 1": {"version": 1, "first": "a"},
    "version 2": {"version": 2, "first": "a", "second": "b"},
    "version 3": {"version": 3, "name": "ab"},
}


@pytest.mark.parametrize("version", WRITTEN)
def test_every_version_is_read_and_written_again_in_the_newest(version: str) -> None:
    record = decode(Grown, canonical(WRITTEN[version]))
    assert record == Grown("ab")
    assert encode(record) == canonical(WRITTEN["version 3"])
    assert decode_newest(Grown, canonical(WRITTEN[version])) == (record, canonical(WRITTEN["version 3"]))
    assert plain(record) == {"name": "ab"}


BROKEN = {
    "a version that is not known yet": {"version": 4, "name": "ab"},
    "version 0": {"version": 0, "first": "a"},
    "a field of a later version": {"version": 1, "first": "a", "second": "x"},
    "a field that the next version needs": {"version": 2, "first": "a"},
    "a field of another type": {"version": 1, "first": 1},
    "a field too many": {"version": 3, "name": "ab", "first": "a"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_never_such_a_record_is_not_read(name: str) -> None:
    with pytest.raises(RecordError):
        decode(Grown, canonical(BROKEN[name]))


def test_versions_of_lists_that_grow_are_forgotten_and_crowd_out_nothing_else() -> None:
    day = encode(Day("2026-11-23"))
    known = decode(Day, day)
    versions = [canonical({"version": 1, **plain(ShipmentReports(f"{n:032x}", "A", (), {}))}) for n in range(2_000)]
    first = decode(ShipmentReports, versions[0])
    assert decode(ShipmentReports, bytes(bytearray(versions[0]))) is first
    for version in versions[1:]:
        decode(ShipmentReports, version)
    assert decode(ShipmentReports, versions[0]) == first
    assert decode(ShipmentReports, versions[0]) is not first
    assert decode(Day, bytes(bytearray(day))) is known
