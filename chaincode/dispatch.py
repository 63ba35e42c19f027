"""One JSON argument in, one JSON answer out. The only door of the contract; nothing escapes from it.

A bad envelope and a batch of nothing but refusals are answered as not ok: the ledger endorses nothing. An exception in
a command is a failure of the whole transaction: it is logged here and answered without its details, since other
parties read answers.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from chaincode.batch import Overlay, run_batch
from chaincode.contract import Submitted, run_query
from chaincode.errors import RecordError, Refusal, RefusalCode
from chaincode.records import bodies, canonical, from_plain, parse_json
from chaincode.stub import Answer, Stub

VERSION = 1
BATCH_COMMANDS_MAX = 500
ARGUMENT_BYTES_MAX = 4 * 2**20
"""Twice what a node sends in one transaction; a channel's blocks take less as a rule."""
ARGUMENT_COMMAS_MAX = 250_000
"""So many values may an argument have, told before it is parsed; 500 of the longest facilities have fewer."""
FAILED = "FAILED"
"""The code of an answer after an unexpected exception: no refusal, nothing was decided or written."""

_log = logging.getLogger(__name__)
_is_id = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch


async def dispatch(stub: Stub, argument: bytes) -> Answer:
    """Run one transaction.

    Args:
        stub: the ledger as this transaction sees it.
        argument: {"version": 1, "commands": [{"command_id", "type", "body"}, ...]}, 1 to 500 of them, each with
            "persons" too where persons stand behind it, or {"version": 1, "query": {...}}; JSON in UTF-8.

    Returns: {"version": 1, "results": [...]} or {"version": 1, "result": ...}, canonical JSON; not ok with
        {"version": 1, "code", "text"} when the envelope is bad (MALFORMED) or something broke (FAILED).
    """
    try:
        envelope = _read_envelope(argument)
        if isinstance(envelope, dict):
            return _answer(True, {"result": await run_query(Overlay(stub), envelope)})
        ok, results = await run_batch(stub, envelope)
        return _answer(ok, {"results": results})
    except Refusal as refusal:
        return _answer(False, {"code": refusal.code.value, "text": refusal.text})
    except Exception:  # noqa: BLE001 - the door: whatever broke inside must become an answer
        _log.exception("transaction %s failed", stub.tx_id)
        return _answer(False, {"code": FAILED, "text": "the contract failed; nothing was written, see the peer's log"})


def _answer(ok: bool, content: dict[str, Any]) -> Answer:
    return Answer(ok, canonical({"version": VERSION, **content}))


def _read_envelope(argument: bytes) -> list[Submitted] | dict[str, Any]:
    """The commands, or the query as plain data. Raises: Refusal: MALFORMED."""
    if len(argument) > ARGUMENT_BYTES_MAX:
        raise _malformed(f"the argument is larger than {ARGUMENT_BYTES_MAX} bytes")
    if argument.count(b",") > ARGUMENT_COMMAS_MAX:
        raise _malformed(f"the argument has more than {ARGUMENT_COMMAS_MAX} commas")
    try:
        envelope = parse_json(argument)
    except RecordError as error:
        raise _malformed(str(error)) from error
    if not isinstance(envelope, dict) or type(envelope.get("version")) is not int or envelope["version"] != VERSION:
        raise _malformed('the argument must be an object with "version": 1')
    if envelope.keys() == {"version", "query"} and isinstance(envelope["query"], dict):
        query: dict[str, Any] = envelope["query"]
        return query
    if envelope.keys() != {"version", "commands"} or not isinstance(envelope["commands"], list):
        raise _malformed('there must be either a list of "commands" or a "query", and nothing else')
    if not 1 <= len(envelope["commands"]) <= BATCH_COMMANDS_MAX:
        raise _malformed(f"there must be from 1 to {BATCH_COMMANDS_MAX} commands")
    return [_read_command(command) for command in envelope["commands"]]


def _read_command(command: Any) -> Submitted:
    if not isinstance(command, dict) or command.keys() - {"persons"} != {"command_id", "type", "body"}:
        raise _malformed("a command has exactly the fields command_id, type and body, and may have persons")
    command_id, command_type, body = command["command_id"], command["type"], command["body"]
    if not isinstance(command_id, str) or not _is_id(command_id):
        raise _malformed("a command_id is 32 lower-case hexadecimal digits")
    if not isinstance(command_type, str) or not isinstance(body, dict):
        raise _malformed("a command's type is a string and its body an object")
    return Submitted(command_id, command_type, body, _read_persons(command) if "persons" in command else ())


def _read_persons(command: dict[str, Any]) -> tuple[str, ...]:
    """The commitments of the persons who are said to stand behind a command; their signatures are not for us."""
    try:
        named = from_plain(bodies.Persons, {"persons": command["persons"]}).persons
    except RecordError as error:
        raise _malformed(str(error)) from error
    persons = tuple(one.person for one in named)
    if len(set(persons)) != len(persons):
        raise _malformed("persons: names one person twice")
    return persons


def _malformed(text: str) -> Refusal:
    return Refusal(RefusalCode.MALFORMED, text)
