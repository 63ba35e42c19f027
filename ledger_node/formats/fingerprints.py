"""Keyed fingerprints: how organisations find a duplicate, a party or an account without showing each other numbers.

A fingerprint is HMAC-SHA-256 under the consortium's key over the kind's name and a normalised tuple, so no spelling of
a number hides a duplicate and no two kinds can be mixed up. That of an amount, which can be guessed, is made under the
key of supplier and buyer alone. The keys never leave the nodes' files; nothing here writes to the ledger. Every party
that has the key computes the same fingerprints from the document itself.

References are cut into groups of letters and groups of digits. What stands between letters is dropped, what stands
between digits separates them, leading zeros of a group of digits are dropped: "INV-0001", "inv/0001", "INV0001" and
"INV 1" are one number, while "INV-1-11", "INV-11-1" and "INV-111" are three. Identifiers and accounts keep every letter
and digit and nothing else. Capital letters that look alike in Latin, Greek and Cyrillic are one letter.
Source: FIPS 198-1 (HMAC), Unicode NFKC (UAX 15), Unicode confusables (UTS 39).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ledger_node.errors import BadRequest, ConfigError
from ledger_node.formats.claims import SELF_BILLED_TYPES
from ledger_node.formats.facts import EventKind, Facts, InvoiceFacts, TransportFacts

KEY_BYTES = 32
_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХЅІЈԚԜ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABEKMHOPCTYXSIJQW" + "ABEZHIKMNOPTYX",
)


def fingerprints(
    key: bytes, facts: Facts, supplier_msp: str, buyer_msp: str, amount_key: bytes | None
) -> dict[str, str]:
    """The fingerprints that a document defines, by kind.

    Args:
        key: 32 bytes, the consortium's.
        facts: what the document says.
        supplier_msp: MSP id of the supplier.
        buyer_msp: MSP id of the buyer.
        amount_key: 32 bytes, as `AgreementKeys.amount_key` gives them; None where this node has none: then no "amount".

    Returns: of an invoice "number" (of supplier and buyer together where the buyer numbers it) and "amount", and
        "delivery" if it names one despatch advice (of several, see `deliveries`); of transport events "delivery" if the
        deliveries in it are all of one shipment; of anything else nothing. Each 64 hex digits.
    """
    if isinstance(facts, TransportFacts):
        return _delivery(key, _delivered(facts), supplier_msp, buyer_msp)
    if not isinstance(facts, InvoiceFacts):
        return {}
    amount = (supplier_msp, buyer_msp, facts.amount_minor, facts.currency, facts.issue_date.isoformat())
    of_buyer = buyer_msp if facts.type_code in SELF_BILLED_TYPES else ""
    return {
        "number": _number(key, supplier_msp, facts.invoice_number, of_buyer),
        **({} if amount_key is None else {"amount": _keyed(amount_key, "amount", *amount)}),
        **_delivery(key, facts.shipment_references, supplier_msp, buyer_msp),
    }


def deliveries(key: bytes, facts: InvoiceFacts, supplier_msp: str, buyer_msp: str) -> list[str]:
    """The fingerprints of all delivery notes of an invoice that names several (BT-16, in header and lines).

    Args:
        key: 32 bytes, the consortium's.
        facts: what the invoice says.
        supplier_msp: MSP id of the supplier.
        buyer_msp: MSP id of the buyer.

    Returns: of the kind "delivery", 64 hex digits each, in order, each once; none of one note, whatever its spellings,
        which is among `fingerprints`.
    """
    found = _deliveries(key, facts.shipment_references, supplier_msp, buyer_msp)
    return sorted(found) if len(found) > 1 else []


def predecessors(key: bytes, numbers: Iterable[str], supplier_msp: str, buyer_msp: str) -> list[str]:
    """The fingerprints that the invoices named in a document (BT-25) have on the ledger, or would have there.

    Nobody can tell from the reference whether the buyer numbered that one, so both numbers are given.

    Args:
        key: 32 bytes, the consortium's.
        numbers: as the document has them.
        supplier_msp: MSP id of the supplier.
        buyer_msp: MSP id of the buyer.

    Returns: of the kind "number", 64 hex digits each, in order, each once.
    """
    return sorted({_number(key, supplier_msp, number, of_buyer) for number in numbers for of_buyer in ("", buyer_msp)})


def identity(key: bytes, identifier: str) -> str:
    """The fingerprint of a party's identifier (VAT id, legal id or name), however it is spelt.

    Raises: BadRequest when it has no letter and no digit.
    """
    return _keyed(key, "identity", _some(_letters_and_digits(identifier), identifier))


def nobodys_account(key: bytes, why: str, *parts: str) -> str:
    """A value that stands where an account's fingerprint does, and is that of no account.

    Args:
        why: what is paid instead of an account of the supplier's.
        parts: names and numbers that it hangs on.
    """
    return _keyed(key, "payee", why, *map(_letters_and_digits, parts))


def is_text(text: str) -> bool:
    """Whether anything of a text would count in a fingerprint: a letter or a digit."""
    return bool(_letters_and_digits(text))


def account(key: bytes, number: str) -> str:
    """The fingerprint of an account to pay to (IBAN or other number), however it is spelt.

    Raises: BadRequest when it has no letter and no digit.
    """
    return _keyed(key, "account", _some(_letters_and_digits(number), number))


def reference(key: bytes, supplier_msp: str, buyer_msp: str, number: str) -> str:
    """The fingerprint of a shipment's reference: the kind "delivery".

    Raises: BadRequest when it has no letter and no digit.
    """
    return _keyed(key, "delivery", supplier_msp, buyer_msp, normalise_reference(number))


def order(key: bytes, buyer_msp: str, number: str) -> str:
    """The fingerprint of a buyer's own reference, under which it approves one invoice and no second.

    Raises: BadRequest when it has no letter and no digit.
    """
    return _keyed(key, "order", buyer_msp, normalise_reference(number))


def credit_reference(key: bytes, number: str, booked_on: str) -> str:
    """The fingerprint of a booked credit: the account servicer's reference and the booking date (YYYY-MM-DD).

    Raises: BadRequest when the reference has no letter and no digit.
    """
    return _keyed(key, "credit", normalise_reference(number), booked_on)


def bank_reference(key: bytes, number: str) -> str:
    """The fingerprint of a bank's reference alone, by which two entries of its book look the same.

    Raises: BadRequest when it has no letter and no digit.
    """
    return _keyed(key, "bank reference", normalise_reference(number))


def certificate(key: bytes, der: bytes) -> str:
    """The commitment by which the ledger knows a person: of its certificate, DER."""
    return _keyed(key, "person", hashlib.sha256(der).hexdigest())


def normalise_reference(text: str) -> str:
    """A number as people mean it, whatever they put between its parts.

    Args:
        text: an invoice number, shipment reference, order number.

    Returns: groups of letters and of digits, joined by "|": "INV|1|11".

    Raises: BadRequest when there is no letter and no digit.
    """
    groups: list[str] = []
    for group in re.findall(r"[0-9]+|[^0-9 ]+", _plain(text)):
        if group[0] in "0123456789":
            groups.append(group.lstrip("0") or "0")
        elif groups and groups[-1][0] not in "0123456789":
            groups[-1] += group
        else:
            groups.append(group)
    return _some("|".join(groups), text)


def create_key(path: Path) -> bytes:
    """Make the consortium's key, once for all of its organisations.

    Args:
        path: where it shall stand, as 64 hex digits.

    Returns: 32 bytes.

    Raises: ConfigError when a file stands there already; OSError of the disk.
    """
    key = secrets.token_bytes(KEY_BYTES)
    save_key(path, key)
    return key


def save_key(path: Path, key: bytes) -> None:
    """Keep the consortium's key, as another organisation handed it over.

    The file appears whole or not at all, readable by its owner only, and an existing one is never replaced.

    Args:
        path: where it shall stand, as 64 hex digits.
        key: 32 bytes.

    Raises: ConfigError when a file stands there already; OSError of the disk.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise ConfigError(
            f"there is a fingerprint key in {path} already", "keep it: under another key no duplicate would be found"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def load_key(path: Path) -> bytes:
    """The consortium's key.

    Args:
        path: a file of mode 0600 with 64 hex digits.

    Returns: 32 bytes.

    Raises: ConfigError when it is missing, open to others, or not a key.
    """
    remedy = "Get it from another organisation of the consortium, or: ledger-node init --demo"
    try:
        with path.open(encoding="ascii") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(4 * KEY_BYTES).strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"the fingerprint key {path} cannot be read: {error}", remedy) from error
    if mode & 0o077:
        raise ConfigError(f"the fingerprint key {path} can be read by others", f"Run: chmod 600 {path}")
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
        raise ConfigError(f"the fingerprint key {path} is not {2 * KEY_BYTES} hex digits", remedy)
    return bytes.fromhex(text)


def _sync_folder(folder: Path) -> None:
    """A new name outlives a power failure only when its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delivered(facts: TransportFacts) -> set[str]:
    return {
        number for event in facts.events if event.kind is EventKind.DELIVERY for number in event.shipment_references
    }


def _delivery(key: bytes, numbers: Iterable[str], supplier_msp: str, buyer_msp: str) -> dict[str, str]:
    """The kind "delivery" when all numbers are spellings of one."""
    values = _deliveries(key, numbers, supplier_msp, buyer_msp)
    return {"delivery": values.pop()} if len(values) == 1 else {}


def _deliveries(key: bytes, numbers: Iterable[str], supplier_msp: str, buyer_msp: str) -> set[str]:
    """Fingerprints of the kind "delivery"; a number without letter and digit defines none."""
    return {reference(key, supplier_msp, buyer_msp, number) for number in numbers if _letters_and_digits(number)}


def _number(key: bytes, supplier_msp: str, number: str, of_buyer: str) -> str:
    """The kind "number"; `of_buyer` is the buyer whose number it is, "" where the supplier numbers its own invoices."""
    parts = (supplier_msp, normalise_reference(number), *filter(None, [of_buyer]))
    return _keyed(key, "number", *parts)


def _keyed(key: bytes, kind: str, *parts: str | int) -> str:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a fingerprint key has {KEY_BYTES} bytes, not {len(key)}")
    message = json.dumps([kind, *parts], separators=(",", ":")).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Capital letters and ASCII digits; a blank for anything else, nothing for marks and characters without width."""
    capitals = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper()).translate(_LOOK_ALIKES)
    found = []
    for character in capitals:
        if character.isdecimal():
            found.append(str(unicodedata.decimal(character)))
        elif character.isalnum():
            found.append(character)
        elif unicodedata.category(character) not in ("Cf", "Mn", "Mc", "Me"):
            found.append(" ")
    return "".join(found)


def _letters_and_digits(text: str) -> str:
    return _plain(text).replace(" ", "")


def _some(normalised: str, text: str) -> str:
    if not normalised:
        raise BadRequest(f"{text[:80]!r} has no letter and no digit", "give the number itself")
    return normalised
