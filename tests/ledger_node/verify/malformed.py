"""Files that are no bundles: each refused in the first step, in words, and never with a traceback."""

from __future__ import annotations

import json

from forge import JSON, canonical, sealed, unurl
from story import Story

MALFORMED = (
    "truncated",
    "empty",
    "no JSON",
    "no UTF-8",
    "a repeated name",
    "a repeated name in the payload",
    "spaces",
    "a number of a thousand digits",
    "a fraction",
    "an exponent",
    "NaN",
    "deep nesting",
    "deep nesting in the payload",
    "a name too many",
    "a name too few",
    "a list where an object belongs",
    "half a surrogate",
    "another spelling of base64",
    "another spelling of base64url",
    "a time that is none",
    "no block",
    "a version that is true",
    "a hundred thousand blocks that are none",
    "a hundred thousand names that are none",
)
UNCHECKABLE = ("a later version", "no trust file", "a trust file with a certificate that is none")


def made(kind: str, story: Story) -> tuple[bytes, JSON | bytes]:
    """The bundle and the trust file of a kind."""
    true, own = story.bundle(), story.copy()
    plain = {
        "truncated": true[:-100],
        "empty": b"",
        "no JSON": b"%PDF-1.7",
        "no UTF-8": b'{"payload":"\xff"}',
        "a repeated name": true.replace(b'{"payload"', b'{"payload":"","payload"', 1),
        "spaces": json.dumps(json.loads(true), sort_keys=True).encode(),
        "a number of a thousand digits": b'{"payload":' + b"9" * 1000 + b"}",
        "a fraction": b'{"payload":1.5}',
        "an exponent": b'{"payload":1e2}',
        "NaN": b'{"payload":NaN}',
        "deep nesting": b"[" * 200_000 + b"]" * 200_000,
        "half a surrogate": b'{"payload":"\\ud800"}',
    }
    if kind in plain:
        return plain[kind], story.trust
    payload = _payload(kind, own)
    if kind == "no trust file":
        return true, b"{}"
    if kind == "a trust file with a certificate that is none":
        own.trust["configurations"][0]["consenters"][0]["certificate"] = "none"
        return true, own.trust
    bundle = sealed(payload, story.consortium.of["SupplierMSP"].client, story.consortium.post_quantum)
    if kind == "another spelling of base64url":
        jws = json.loads(bundle)
        signature = jws["signatures"][0]["signature"]
        assert len(unurl(signature)) == 64  # so four bits of the last character say nothing
        jws["signatures"][0]["signature"] = signature[:-1] + chr(ord(signature[-1]) + 1)
        return canonical(jws), story.trust
    return bundle, story.trust


def _payload(kind: str, story: Story) -> JSON | bytes:
    payload = story.payload
    if kind == "a repeated name in the payload":
        return canonical(payload).replace(b'{"blocks"', b'{"blocks":[],"blocks"', 1)
    if kind == "deep nesting in the payload":
        return b'{"blocks":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    changes: dict[str, JSON] = {
        "a name too many": {"comment": ""},
        "a list where an object belongs": {"subject": []},
        "a time that is none": {"issued_at": "2026-02-30T12:00:00Z"},
        "no block": {"blocks": []},
        "a version that is true": {"version": True},
        "a hundred thousand blocks that are none": {"blocks": [0] * 100_000},
        "a hundred thousand names that are none": {f"{number:x}": 0 for number in range(100_000)},
        "a later version": {"version": 2},
    }
    payload |= changes.get(kind, {})
    if kind == "a name too few":
        del payload["genesis"]
    if kind == "another spelling of base64":
        payload["blocks"][0]["value"] = "AB=="
    return payload
