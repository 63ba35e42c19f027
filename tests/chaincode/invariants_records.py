"""What the checks of all invariants share: records as plain data, and an account's name, told without the contract."""

from __future__ import annotations

import functools
import json
from typing import Any

State = dict[str, bytes]
Records = dict[str, Any]


@functools.lru_cache(maxsize=50_000)
def parsed(data: bytes) -> Any:
    """The plain data of bytes; the same object for the same bytes, never to be changed."""
    return json.loads(data)


class Snapshot(State):
    """A state that changes no more, so that what is under a prefix is looked for once."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._by_kind: dict[str, dict[str, bytes]] | None = None
        self._records: dict[str, Records] = {}

    def under(self, prefix: str) -> dict[str, bytes]:
        """Keys and values under a prefix, in their order."""
        if self._by_kind is None:
            self._by_kind = {}
            for key, data in self.items():
                self._by_kind.setdefault(key.partition("/")[0], {})[key] = data
        kind, _, rest = prefix.partition("/")
        found = self._by_kind.get(kind, {})
        return {key: data for key, data in found.items() if key.startswith(prefix)} if rest else found

    def records(self, prefix: str) -> Records:
        """The records under a prefix; the same object each time, never to be changed."""
        if prefix not in self._records:
            self._records[prefix] = {key: parsed(data) for key, data in self.under(prefix).items()}
        return self._records[prefix]


def snapshot(state: State) -> Snapshot:
    """A state as it is now."""
    return state if isinstance(state, Snapshot) else Snapshot(state)


def records(state: State, prefix: str) -> Records:
    """All records under a prefix that ends with a slash, by key."""
    return snapshot(state).records(prefix)


def reported(state: State, shipment_id: str = "") -> list[Any]:
    """The events of a shipment, or of all: those of lists, and those under keys of their own in an older ledger."""
    below = f"{shipment_id}/" if shipment_id else ""
    found = list(records(state, f"shipment_event/{below}").values())
    for reports in records(state, f"shipment_reports/{below}").values():
        about = {"shipment_id": reports["shipment_id"], "party": reports["party"]}
        found += [event | about for event in reports["events"]]
    return found


def read(state: State, key: str) -> Any:
    """The record under a key, None when there is none."""
    return parsed(state[key]) if key in state else None


def cash_name(party: str, deposit: str) -> str:
    """The account through which a party holds a deposit: an issuer holds none, it issues."""
    return f"issued:{party}" if deposit.endswith(f"@{party}") else f"cash:{party}"


def further_deliveries(invoice: Any) -> set[str]:
    """The deliveries that an invoice of several claims besides the one among its fingerprints."""
    return set(invoice["facts"].get("deliveries", ())) - {invoice["fingerprints"].get("delivery")}


def due_date(invoice: Any) -> str:
    """When an invoice is due: by what its holder has granted since, by its document, or by its supplier's word."""
    return str(invoice["extended_due_date"] or invoice["facts"]["due_date"] or invoice.get("stated_due_date", ""))


def claimed_minor(invoice: Any) -> int:
    """What an invoice claims, before it is approved."""
    return int(invoice["facts"]["amount_minor"] - invoice["credited_minor"])


def limit_on(limit: Any, day: str) -> int:
    """The limit of a buyer that counts on a day, in minor units."""
    pending = limit["pending"]
    return int((pending if pending and pending["from_day"] <= day else limit)["limit_minor"])


def terms_on(facility: Any, day: str) -> Any:
    """A facility with the terms that count on a day."""
    pending = facility["pending"]
    return facility | pending["terms"] if pending and pending["from_day"] <= day else facility
