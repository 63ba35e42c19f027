"""Which party of the ledger an invoice names: by any strong identifier that matches, and only if none contradicts.

A paper names a party by VAT id, legal id, GLN, LEI or another tax number, and by its name; a party's record on the
ledger holds keyed fingerprints of identifiers. A name is the weakest: it counts where the paper gives nothing stronger.
Nothing here reads documents or writes. Source: EN 16931-1 (BT-29 to BT-32, BT-46 to BT-48), ISO/IEC 6523.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger_node.formats.facts import PartyFacts
from ledger_node.formats.fingerprints import identity, is_text

Record = Mapping[str, Any]
"""A party as the ledger has it."""
VAT = "VAT"


def identifiers(party: PartyFacts) -> list[tuple[str, str]]:
    """All identifiers of a party, the strongest first.

    Args:
        party: as the invoice has it.

    Returns: (label, text) pairs; the label is "VAT", an ISO 6523 code, "legal" for a legal id without scheme, "tax:GST"
        and the like, or "" for an identifier that says nothing of what it is.
    """
    pairs = [(VAT, party.vat_id), (party.legal_id_scheme or "legal", party.legal_id)]
    pairs += [*party.identifiers, *((f"tax:{scheme}", text) for scheme, text in party.tax_ids)]
    return [(label, text) for label, text in pairs if is_text(text)]


def is_named(key: bytes, party: PartyFacts, record: Record) -> bool:
    """Whether an invoice names the party of a record.

    Args:
        key: 32 bytes, the consortium's.
        party: as the invoice has it.
        record: with `identity_fingerprint`, `name`, and perhaps `identities`, fingerprints by label.
    """
    known: Mapping[str, str] = record.get("identities", {})
    identities = [(label, identity(key, text)) for label, text in identifiers(party)]
    if any(
        known[label] not in _labelled(identities, label) for label in {label for label, _ in identities} & known.keys()
    ):
        return False
    registered = {record["identity_fingerprint"], *known.values()}
    if registered & {value for _, value in identities}:
        return True
    return not any(label for label, _ in identities) and _has_name(key, party, record, registered)


def named_among(key: bytes, party: PartyFacts, records: Iterable[Record]) -> Record | None:
    """The one party of several that an invoice names; None when it is none of them, or when it could be two."""
    named = [record for record in records if is_named(key, party, record)]
    return named[0] if len(named) == 1 else None


def called(party: PartyFacts) -> str:
    """What an invoice names a party by, for people: its strongest identifier, else its name."""
    label, text = next(iter(identifiers(party)), ("", ""))
    if not text:
        return f"by the name {party.name[:60]!r} only"
    return f"by {label or 'an identifier'} {text[:40]!r}"


def _labelled(found: list[tuple[str, str]], label: str) -> set[str]:
    return {value for each, value in found if each == label}


def _has_name(key: bytes, party: PartyFacts, record: Record, registered: set[str]) -> bool:
    """Whether the names are the same: the one that the party is registered under, or that its record shows."""
    names = [name for name in (record.get("name", ""),) if is_text(name)]
    return is_text(party.name) and identity(key, party.name) in {*registered, *(identity(key, each) for each in names)}
