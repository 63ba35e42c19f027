"""The door of the contract: what is no proper JSON argument is named so, and whatever breaks inside writes nothing."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from world import World, finish, founded, paid
from world_bodies import (
    BUYER,
    DAY,
    FINANCIER,
    SUPPLIER,
    attestation,
    command,
    deposit,
    document,
    hex64,
    hexid,
    settlement,
)

from chaincode.dispatch import ARGUMENT_BYTES_MAX, ARGUMENT_COMMAS_MAX, dispatch
from chaincode.money import MINOR_MAX
from chaincode.records import canonical, decode, encode, parse_json
from chaincode.stub import Answer
from ledger_node.readmodel.fold import KINDS

GOOD = command("RegisterDocument", hexid("command"), **document("document"))


def argument(*commands: Any, **other: Any) -> bytes:
    return json.dumps({"version": 1, "commands": list(commands)} | other).encode()


def text_of(old: str, new: str) -> bytes:
    """The good argument with one piece of its text replaced."""
    before = argument(GOOD).decode()
    assert old in before
    return before.replace(old, new, 1).encode()


BAD_ENVELOPES = {
    "empty": b"",
    "not JSON": b"version 1",
    "not UTF-8": argument(GOOD)[:-1] + b"\xff}",
    "UTF-16": argument(GOOD).decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + argument(GOOD),
    "a list": b"[1]",
    "a key twice": text_of('"version": 1', '"version": 1, "version": 1'),
    "a key twice inside": text_of('"size_bytes": 4711', '"size_bytes": 4711, "size_bytes": 4711'),
    "not a number": text_of("4711", "NaN"),
    "infinity": text_of("4711", "Infinity"),
    "a fraction": text_of("4711", "4711.0"),
    "an exponent": text_of("4711", "1e3"),
    "an integer of 2^53": text_of("4711", str(2**53)),
    "an endless integer": text_of("4711", "9" * 5_000),
    "nested too deep": text_of("4711", "[" * 40 + "]" * 40),
    "nested far too deep": text_of("4711", "[" * 100_000 + "]" * 100_000),
    "a lone surrogate": text_of("application/xml", "\\ud800"),
    "no version": json.dumps({"commands": [GOOD]}).encode(),
    "another version": argument(GOOD, version=2),
    "a version that is true": argument(GOOD, version=True),
    "an unknown field": argument(GOOD, more=1),
    "no commands": argument(),
    "commands that are no list": json.dumps({"version": 1, "commands": {"0": GOOD}}).encode(),
    "too many commands": argument(*[GOOD] * 501),
    "a command that is no object": argument("RegisterDocument"),
    "a command with a field too many": argument(GOOD | {"sender": SUPPLIER}),
    "a command without a body": argument({"command_id": hexid("command"), "type": "OpenDay"}),
    "a command id in capitals": argument(GOOD | {"command_id": hexid("command").upper()}),
    "a command id that is a number": argument(GOOD | {"command_id": 7}),
    "a type that is a number": argument(GOOD | {"type": 7}),
    "a body that is a list": argument(GOOD | {"body": []}),
    "a query that is a list": json.dumps({"version": 1, "query": []}).encode(),
    "an unknown query": json.dumps({"version": 1, "query": {"type": "Everything"}}).encode(),
    "a query of no key": json.dumps({"version": 1, "query": {"type": "Record", "key": ""}}).encode(),
    "too large": argument(GOOD) + b" " * ARGUMENT_BYTES_MAX,
    "too many values": argument(GOOD)[:-1] + b',"x":[' + b"0," * ARGUMENT_COMMAS_MAX + b"0]}",
}


@pytest.mark.parametrize("name", BAD_ENVELOPES)
def test_a_bad_argument_is_malformed_and_changes_nothing(name: str) -> None:
    world = founded()
    before = dict(world.state)
    answer = world.dispatch(SUPPLIER, BAD_ENVELOPES[name])
    said = json.loads(answer.payload)
    assert (answer.ok, said["version"], said["code"]) == (False, 1, "MALFORMED")
    assert before == world.state


SIGNED = {"person": hex64("person anna"), "signature": "MEUCIQ=="}
BAD_PERSONS: dict[str, Any] = {
    "nobody": [],
    "three": [SIGNED | {"person": hex64(f"person {name}")} for name in ("anna", "berta", "carl")],
    "one twice": [SIGNED, SIGNED | {"signature": "MEUCIA=="}],
    "no list": SIGNED,
    "null": None,
    "no signature": [{"person": SIGNED["person"]}],
    "an empty signature": [SIGNED | {"signature": ""}],
    "a signature that is not base64": [SIGNED | {"signature": "MEUCIQ=" + "!"}],
    "a signature that is too long": [SIGNED | {"signature": "MEUC" * 51}],
    "a name": [SIGNED | {"person": "Anna"}],
}


@pytest.mark.parametrize("name", BAD_PERSONS)
def test_persons_that_are_none_are_malformed(name: str) -> None:
    world = founded()
    world.must(SUPPLIER, "EnrolPerson", commitment=SIGNED["person"])
    answer = world.dispatch(SUPPLIER, argument(GOOD | {"persons": BAD_PERSONS[name]}))
    assert (answer.ok, json.loads(answer.payload)["code"]) == (False, "MALFORMED")
    assert world.dispatch(SUPPLIER, argument(GOOD | {"persons": [SIGNED]})).ok


def test_the_control_of_all_bad_arguments_is_applied() -> None:
    answer = founded().dispatch(SUPPLIER, argument(GOOD))
    assert answer == Answer(
        True,
        json.dumps(
            {
                "results": [
                    {
                        "command_id": hexid("command"),
                        "result": {"document_id": hexid("document")},
                        "status": "applied",
                    }
                ],
                "version": 1,
            },
            separators=(",", ":"),
        ).encode(),
    )


BAD_FIELDS: dict[str, dict[str, Any]] = {
    "an id in capitals": {"document_id": hexid("document").upper()},
    "an id that leads elsewhere": {"document_id": "../party/SupplierMSP"},
    "a kind that is unknown": {"kind": "love letter"},
    "a kind that is a list": {"kind": ["invoice"]},
    "a size of true": {"size_bytes": True},
    "a size as text": {"size_bytes": "4711"},
    "an empty file": {"size_bytes": 0},
    "nobody entitled": {"entitled": []},
    "somebody entitled twice": {"entitled": [BUYER, BUYER]},
    "a party with a slash": {"entitled": ["Buyer/MSP"]},
    "entitled as text": {"entitled": BUYER},
    "a commitment that is null": {"commitment": None},
    "a line feed after the commitment": {"commitment": "0" * 64 + "\n"},
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_body_that_does_not_fit_is_malformed(name: str) -> None:
    assert founded().refusal(SUPPLIER, "RegisterDocument", **document("document") | BAD_FIELDS[name]) == "MALFORMED"


@pytest.mark.parametrize("date", ["2026-02-29", "2026-2-01", "20261124", "1999-12-31", "3000-01-01", "2026-W48-1", ""])
def test_a_date_that_is_no_day_is_malformed(date: str) -> None:
    assert founded().refusal(SUPPLIER, "OpenDay", date=date) == "MALFORMED"


def test_fingerprints_that_are_no_object_are_malformed() -> None:
    world = founded()
    body: dict[str, Any] = attestation("document", fingerprints=[])
    assert world.refusal(BUYER, "AttestDocument", **body) == "MALFORMED"
    assert world.refusal(BUYER, "AttestDocument", **body | {"fingerprints": {}, "facts": []}) == "MALFORMED"


class BrokenStub:
    """A ledger that breaks when it is read."""

    tx_id, channel_id, timestamp, msp_id, creator_certificate = "tx", "test", 0, SUPPLIER, b""

    async def get_states(self, keys: Any) -> Any:
        raise OSError("the secret inside")


def test_an_exception_is_answered_as_a_failure_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = finish(dispatch(BrokenStub(), argument(GOOD)))  # type: ignore[arg-type]
    assert (answer.ok, json.loads(answer.payload)["code"]) == (False, "FAILED")
    assert b"secret" not in answer.payload
    assert "the secret inside" in caplog.text


def test_a_record_that_cannot_be_read_fails_the_whole_batch() -> None:
    world = founded()
    world.apply({f"document/{hexid('broken')}": b'{"version":2}'})
    before = dict(world.state)
    broken = command("RegisterDocument", hexid("second"), **document("broken"))
    answer = world.dispatch(SUPPLIER, argument(GOOD, broken))
    assert (answer.ok, json.loads(answer.payload)["code"]) == (False, "FAILED")
    assert before == world.state


def test_a_refused_command_leaves_no_trace_while_the_others_go_through() -> None:
    world = founded()
    refused = command("RegisterDocument", hexid("second"), **document("second", algorithm="MD5"))
    third = command("RegisterDocument", hexid("third"), **document("third"))
    results = world.batch(SUPPLIER, [GOOD, refused, third])
    assert [result["status"] for result in results] == ["applied", "refused", "applied"]
    assert world.read(f"document/{hexid('second')}") is None
    assert world.read(f"command/{SUPPLIER}/{hexid('second')}") is None


def test_a_batch_of_refusals_is_not_ok() -> None:
    world = founded()
    answer = world.dispatch(SUPPLIER, argument(command("OpenDay", hexid("one"), date=DAY)))
    assert not answer.ok
    assert json.loads(answer.payload)["results"][0]["code"] == "DAY_NOT_LATER"


def test_a_command_has_one_effect_however_often_it_is_sent() -> None:
    world = founded()
    issue = command("IssueDeposit", hexid("issue"), **deposit())
    assert [result["status"] for result in world.batch(FINANCIER, [issue, issue])] == ["applied", "exists"]
    before = dict(world.state)
    again = world.batch(FINANCIER, [issue])
    assert again == [
        {
            "command_id": hexid("issue"),
            "status": "exists",
            "result": {k: deposit()[k] for k in ("deposit", "to", "amount_minor")},
        }
    ]
    assert before == world.state


def test_an_id_of_one_party_is_free_for_another() -> None:
    world = founded()
    world.batch(SUPPLIER, [GOOD])
    other = command("RegisterDocument", hexid("command"), **document("other"))
    assert world.batch(BUYER, [other])[0]["status"] == "applied"
    assert world.batch(SUPPLIER, [other])[0]["code"] == "COMMAND_ID_REUSED"


def test_a_later_command_of_a_batch_sees_the_earlier_ones() -> None:
    world = paid()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    settle = [command("SettleInvoice", hexid(name), **settlement()) for name in ("one", "two")]
    assert [result.get("code") for result in world.batch(BUYER, settle)] == [None, "STATUS_WRONG"]


def test_all_that_is_written_is_canonical_and_of_the_newest_version() -> None:
    world: World = paid()
    for key, data in world.state.items():
        assert json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode() == data, key
        assert encode(decode(KINDS[key.partition("/")[0]], data)) == data, key


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-MINOR_MAX, MINOR_MAX) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"[ -~]*", fullmatch=True), inner),
        max_leaves=20,
    )
)
def test_canonical_json_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert parse_json(canonical(value)) == value
