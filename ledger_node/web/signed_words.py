"""Words for what a person signs. The browser tells a message from its bytes; here are names for what stands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chaincode.money import CURRENCY_EXPONENTS
from ledger_node.api.context import current_node
from ledger_node.operations.fields import NAMED_KINDS
from ledger_node.operations.shapes import REASON
from ledger_node.people.key_requests import fingerprint_of
from ledger_node.web.asking import Plain
from ledger_node.web.codes import WORDS
from ledger_node.web.forms import DEPOSIT, called, record_of
from ledger_node.web.marks import _, gettext
from ledger_node.web.texts import all_parties, label, said

COMMITMENT_DIGITS = 64
FRAME = {"channel": _("Channel"), "command_id": _("Command id"), "msp_id": _("Msp id"), "type": _("Type")}
"""What a message says beside its command."""


def known_of(message: str) -> Plain:
    """Words for what a message holds: its fields, the records and parties that it names, and what its amounts are in.

    Args:
        message: as it is signed.

    Returns: `labels` of fields, `words` for values, and the `currency` of its amounts with its `digits`; where nothing
        says the currency, amounts are told as they stand there.
    """
    content = json.loads(message)
    body: Plain = content["body"]
    labels = {name: label(name.removesuffix("_minor")) for name, _values in _fields(body)}
    labels |= {content["type"]: label(content["type"])} | {name: gettext(text) for name, text in FRAME.items()}
    words = dict(all_parties())
    for name, values in _fields(body):
        words |= {each: said(each) for each in values if each in WORDS} | _own_persons(values)
        if name in NAMED_KINDS:
            words |= {each: called(record_of(name, each)) for each in values}
        elif name == REASON:
            words |= {each: known.text for each in values if (known := current_node().reasons.get(each))}
        else:  # what the ledger has a fingerprint of, as it was typed here
            words |= {each: called({"names": known}) for each, known in current_node().names.of(values).items()}
    currency = _currency(body)
    return {
        "labels": labels,
        "words": words | {"true": gettext("yes"), "false": gettext("no")},
        "currency": currency or gettext("minor units"),
        "digits": CURRENCY_EXPONENTS.get(currency, 0),
    }


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every field in a message with the texts in it."""
    if isinstance(value, dict):
        for each, part in value.items():
            yield from _fields(part, each)
    elif isinstance(value, list):
        yield name, [each for each in value if isinstance(each, str)]
        yield from (found for each in value if isinstance(each, dict) for found in _fields(each))
    else:
        yield name, [value] if isinstance(value, str) else []


def _own_persons(values: list[str]) -> dict[str, str]:
    """Own persons who are named by the commitment of their certificate: who, and by which key."""
    if not any(len(each) == COMMITMENT_DIGITS for each in values):
        return {}
    named = [each for each in current_node().persons.all() if each.commitment in values]
    return {
        each.commitment: gettext("%(name)s, key %(fingerprint)s", name=each.name, fingerprint=fingerprint_of(each.key))
        for each in named
    }


def _currency(body: Plain) -> str:
    """What a command's amounts are in: it says so itself, or what it is about does."""
    if body.get("currency") or body.get(DEPOSIT):
        return str(body.get("currency") or body[DEPOSIT]).partition("@")[0]
    invoice = record_of("invoice_id", str(body.get("invoice_id", "")))
    facility_id = body.get("facility_id") or next(iter(body.get("facility_ids", ())), "")
    facility = record_of("facility_id", str(facility_id))
    return str(invoice.get("currency") or facility.get(DEPOSIT, "")).partition("@")[0]
