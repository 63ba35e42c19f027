"""Which party of the ledger an invoice names: by any strong identifier that matches, and only if none contradicts.

A paper names a party by VAT id, legal id, GLN, LEI or another tax number, and by its name; a party's record on the
ledger holds keyed fingerprints of identifiers. A name is the weakest: it counts where the paper gives nothing stronger.
Nothing here reads documents or writes. Source: EN 16931-1 (BT-29 to BT-32, BT-46 to BT-48), ISO/IEC 6523.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stdnum import ean, lei

from ledger_node.errors import BadRequest
from ledger_node.formats.facts import PartyFacts
from ledger_node.formats.fingerprints import identity, is_text
from ledger_node.formats.parties import SCHEME_WORDS, VAT_SCHEMES

Record = Mapping[str, Any]
"""A party as the ledger has it."""
VAT = "VAT"
LEI, GLN = "0199", "0088"
_CHECKED = {LEI: ("LEI", lei.is_valid), GLN: ("GLN", ean.is_valid)}
_ISO_6523 = re.compile(r"[0-9]{4}", re.ASCII)
_WORD = re.compile(r"[A-Z0-9._-]{1,16}", re.ASCII)


def label(scheme: str) -> str:
    """A scheme as people write it, in the form that the ledger has: that of `identifiers`.

    Args:
        scheme: VAT; LEI, GLN or DUNS; an ISO 6523 code; "legal" for a legal id without scheme; else the scheme of a tax
            number, such as GST or FC.

    Raises: BadRequest.
    """
    word = scheme.strip().upper().removeprefix("TAX:")
    if not _WORD.fullmatch(word):
        raise BadRequest(f"{scheme[:40]!r} is no scheme of identifiers", "name VAT, LEI, GLN, GST or an ISO 6523 code")
    if word in VAT_SCHEMES:
        return VAT
    if word == "LEGAL":
        return "legal"
    code = SCHEME_WORDS.get(word, word)
    return code if _ISO_6523.fullmatch(code) else f"tax:{word}"


def identities(key: bytes, named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The identifiers of a party in the form that the ledger has: keyed fingerprints by scheme, in order.

    Args:
        key: 32 bytes, the consortium's.
        named: (scheme, identifier) pairs as people write them.

    Raises: BadRequest for a scheme that is none, or an identifier that its scheme does not allow.
    """
    found: dict[str, set[str]] = {}
    for scheme, text in named:
        labelled = label(scheme)
        name, is_valid = _CHECKED.get(labelled, ("", None))
        if is_valid is not None and not is_valid("".join(text.split())):
            raise BadRequest(f"{text[:40]!r} is no {name}: its check digits are wrong", "look it up and write it again")
        found.setdefault(labelled, set()).add(identity(key, text))
    return {labelled: sorted(found[labelled]) for labelled in sorted(found)}


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
    known: Mapping[str, Sequence[str]] = record.get("identities", {})
    found = [(labelled, identity(key, text)) for labelled, text in identifiers(party)]
    schemes = {labelled for labelled, _ in found}
    if any(_labelled(found, scheme).isdisjoint(known[scheme]) for scheme in schemes & known.keys()):
        return False
    registered = {record["identity_fingerprint"], *(value for values in known.values() for value in values)}
    if registered & {value for _, value in found}:
        return True
    return not any(schemes) and _has_name(key, party, record, registered)


def named_among(key: bytes, party: PartyFacts, records: Iterable[Record]) -> Record | None:
    """The one party of several that an invoice names; None when it is none of them, or when it could be two."""
    named = [record for record in records if is_named(key, party, record)]
    return named[0] if len(named) == 1 else None


def called(party: PartyFacts) -> str:
    """What an invoice names a party by, for people: its strongest identifier, else its name."""
    scheme, text = next(iter(identifiers(party)), ("", ""))
    if not text:
        return f"by the name {party.name[:60]!r} only"
    return f"by {scheme or 'an identifier'} {text[:40]!r}"


def registered_as(record: Record) -> str:
    """How a party may be named, for people: the schemes under which it has identifiers."""
    schemes = ", ".join(sorted(record.get("identities", {})))
    return f"by the identifier that it was founded with{' or by ' if schemes else ''}{schemes}"


def _labelled(found: list[tuple[str, str]], scheme: str) -> set[str]:
    return {value for each, value in found if each == scheme}


def _has_name(key: bytes, party: PartyFacts, record: Record, registered: set[str]) -> bool:
    """Whether the names are the same: the one that the party is registered under, or that its record shows."""
    names = [name for name in (record.get("name", ""),) if is_text(name)]
    return is_text(party.name) and identity(key, party.name) in {*registered, *(identity(key, each) for each in names)}
