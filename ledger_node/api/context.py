"""What a request carries beside its body: the node it reached, and the headers that every resource understands.

`Idempotency-Key` makes a repeated write the same write; `Prefer: wait=N` waits for the ledger's answer;
`Ledger-Block-Min` asks for a state at least as new as a block the caller has seen.
Source: RFC 7240 (Prefer), draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import re
import threading
import time

from flask import current_app, request

from ledger_node.api.problem import Problem
from ledger_node.door.application import REPEATED
from ledger_node.node import Node

EXTENSION = "ledger_node"
WAIT_SECONDS_MAX = 30
READ_WAIT_SECONDS_MAX = 10.0
BLOCKS_AHEAD_MAX = 10_000  # a node that is behind is caught up with; a made-up number would wait for ever
POLL_SECONDS = 0.02
IDEMPOTENCY_KEY, BLOCK_MIN = "Idempotency-Key", "Ledger-Block-Min"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def current_node() -> Node:
    """The node that this application serves."""
    node = current_app.extensions[EXTENSION]
    assert isinstance(node, Node)
    return node


def idempotency_key() -> str:
    """The request's idempotency key.

    Raises: Problem 400 when it is missing or no key.
    """
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if not _KEY.fullmatch(key):
        text = f"the header {IDEMPOTENCY_KEY} is missing" if not key else f"the header {IDEMPOTENCY_KEY} is no key"
        remedy = "Send a fresh random value of 1 to 200 visible ASCII characters, and the same one when you try again."
        raise Problem(400, "IDEMPOTENCY_KEY_REQUIRED", text, remedy)
    return key


def require_each_once() -> None:
    """Before any request: nothing that has one value is said twice, since nobody could say which is meant.

    Raises: Problem 400.
    """
    twice = sorted(name for name, values in request.args.lists() if len(values) > 1)
    if twice:
        text = f"the parameter {twice[0][:40]!r} stands twice in the address"
        raise Problem(400, "PARAMETER_TWICE", text, "Send it once.")
    if repeated := request.environ.get(REPEATED):
        raise Problem(400, "HEADER_TWICE", f"the header {repeated.split()[0]} came twice", "Send it once.")


def wait_seconds() -> int:
    """How long the caller prefers to wait, 0 to WAIT_SECONDS_MAX; a preference that is not understood is none."""
    for preference in request.headers.get("Prefer", "").split(","):
        match = re.fullmatch(r"wait=([0-9]{1,6})", preference.strip(), re.ASCII)
        if match:
            return min(int(match[1]), WAIT_SECONDS_MAX)
    return 0


def block_number_min() -> int:
    """The block that the caller has seen, -1 when it does not say.

    Raises: Problem 400 when it is no number, or so far ahead of this node that nobody can have seen it.
    """
    text = request.headers.get(BLOCK_MIN)
    if text is None:
        return -1
    ahead_of = current_node().readmodel.block_number() + BLOCKS_AHEAD_MAX
    if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) or int(text) > ahead_of:
        text = f"the header {BLOCK_MIN} is no number of a block that exists"
        raise Problem(400, "BLOCK_MIN_INVALID", text, "Send the block_number of an answer.")
    return int(text)


def await_block() -> None:
    """Before a read: wait until the read model shows the block that the caller has seen.

    Whoever has no token, or asks for what is not there, is answered at once: a wait holds a thread.

    Raises: Problem 503 when it does not in time.
    """
    wanted = block_number_min() if request.method == "GET" else -1
    if wanted < 0 or request.url_rule is None or not request.path.startswith("/v1/"):
        return
    sent = request.authorization
    if sent is None or not sent.token or current_node().tokens.check(sent.token) is None:
        return  # refused by the route itself
    await_shown(wanted, READ_WAIT_SECONDS_MAX)


def await_shown(wanted: int, seconds_max: float) -> None:
    """Wait until the read model shows a block. Raises: Problem 503 when it does not in time."""
    deadline, idle = time.monotonic() + seconds_max, threading.Event()
    while current_node().readmodel.block_number() < wanted:
        if time.monotonic() > deadline:
            text = f"this node does not show block {wanted} yet"
            raise Problem(503, "READ_MODEL_BEHIND", text, "Try again.", headers={"Retry-After": "1"})
        idle.wait(POLL_SECONDS)  # the projector is another process: its database is all there is to ask
