"""Rules of sealed terms: whose wraps they carry, and that what is shown of them later is what was sealed.

Must never need a key: endorsers check names, keys and sizes, and of an opening that it fits its commitment. What a body
says is for its readers' nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Founding, Party, bodies
from chaincode.records.sealed import Privacy, Sealed, commitment

Readers = Mapping[str, Party | None]
"""Parties by their MSP ids."""


def privacy_of(founding: Founding | None) -> Privacy:
    """How the terms of a consortium are kept."""
    return founding.privacy if founding else "open"


def require_key_to_seal(code: RefusalCode, party: bodies.FoundingParty, privacy: Privacy) -> None:
    """Require of a party that is listed in a sealed consortium that others can seal for it.

    Raises: Refusal: `code`.
    """
    if privacy == "sealed" and not party.agreement_key:
        text = f"{party.msp_id} has no agreement key, and the terms of this consortium are sealed"
        raise Refusal(code, text)


def require_form(privacy: Privacy, sealed: Sealed | None, in_clear: Iterable[Any]) -> None:
    """Require that terms come as the consortium keeps them: sealed, with nothing in clear, or in clear and all of it.

    Args:
        privacy: of the consortium.
        sealed: the terms, where they are sealed.
        in_clear: the fields that say them in clear, None where they do not.

    Raises: Refusal: PRIVACY_DIFFERS.
    """
    shown = [value is not None for value in in_clear]
    if privacy == "sealed" and (sealed is None or any(shown)):
        raise Refusal(RefusalCode.PRIVACY_DIFFERS, "the terms of this consortium are sealed, and these are in clear")
    if privacy == "open" and (sealed is not None or not all(shown)):
        raise Refusal(RefusalCode.PRIVACY_DIFFERS, "the terms of this consortium are in clear, and these are sealed")


def require_wraps(sealed: Sealed, sender: str, readers: Readers, day: str) -> None:
    """Require a sealed body to be wrapped for its readers, each once, under keys that count, and for nobody else.

    Args:
        sealed: the body.
        sender: who sends it, one of the readers.
        readers: the parties who may read it, by MSP id.
        day: the ledger's.

    Raises: Refusal: WRAPS_INVALID.
    """
    if sealed.sender != sender:
        raise Refusal(RefusalCode.WRAPS_INVALID, f"{sealed.sender} sealed it, and {sender} sends it")
    named = [wrap.party for wrap in sealed.wraps]
    if named != sorted(readers):
        text = f"it is sealed for {', '.join(named)}, not for {' and '.join(sorted(readers))}"
        raise Refusal(RefusalCode.WRAPS_INVALID, text)
    for msp_id, key in ((sender, sealed.sender_key), *((wrap.party, wrap.key) for wrap in sealed.wraps)):
        if key not in _keys_that_count(readers[msp_id], day):
            raise Refusal(RefusalCode.WRAPS_INVALID, f"{msp_id} has no such agreement key, or not yet")


def require_opening(sealed: Sealed, record: str, salt: str, values: dict[str, Any]) -> None:
    """Require of values that they are those that were sealed in a record.

    Raises: Refusal: OPENING_DIFFERS.
    """
    if commitment(salt, record, values) != sealed.commitment:
        raise Refusal(RefusalCode.OPENING_DIFFERS, "what is shown of the terms is not what was sealed last")


def _keys_that_count(party: Party | None, day: str) -> list[str]:
    return [one.key for one in party.agreement_keys if one.from_day <= day] if party else []
