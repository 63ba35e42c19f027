"""What must hold of parties, persons, and evidence that is taken back; numbers as in `docs/reference/invariants.md`."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from typing import Any

from invariants_records import State, parsed, records, reported

STANDINGS = {
    (None, "proposed"),
    ("proposed", None),
    ("proposed", "proposed"),
    ("proposed", "active"),
    (None, "active"),
    ("active", "suspended"),
    ("suspended", "active"),
}


def check_persons(state: State) -> None:
    """15, 16: no party stands twice; it counts its active persons, and keeps two of them under four eyes."""
    identities = [
        value
        for one in records(state, "party/").values()
        for value in {one["identity_fingerprint"], *itertools.chain(*one.get("identities", {}).values())}
    ]
    assert len(set(identities)) == len(identities), "15: two parties are one"
    active = Counter(one["party"] for one in records(state, "person/").values() if one["status"] == "active")
    for party in records(state, "party/").values():
        assert party["active_persons"] == active[party["msp_id"]]
        assert party["active_persons"] >= 2 if party["four_eyes"] else party["active_persons"] < 2


def check_members_step(before: State, after: State) -> None:
    """Assert what holds of parties and of evidence between two states, once the consortium is founded."""
    if "founding" not in before:
        return
    old, new = records(before, "party/"), records(after, "party/")
    for key in old.keys() | new.keys():
        if old.get(key) != new.get(key):
            check_party(old.get(key), new.get(key), before, after)
    for key, person in records(before, "person/").items():
        now = parsed(after[key])
        assert now in (person, person | {"status": "retired"}), f"16: {key} has come back"
    check_issued(before, after)
    check_taken_back(before, after)


def check_day(before: State, after: State) -> None:
    """14: the day never goes back, and further than the next business day only by the word of more than half."""
    was, now = (datetime.date.fromisoformat(parsed(state["day"])["date"]) for state in (before, after))
    assert now >= was, "14: the day went back"
    parties = [one["msp_id"] for one in records(after, "party/").values() if one["status"] == "active"]
    words = [parsed(after[f"day_word/{one}"])["date"] for one in parties if f"day_word/{one}" in after]
    agreed = [one for one in words if 2 * sum(word >= one for word in words) > len(parties)]
    reached = max([was, *(datetime.date.fromisoformat(one) for one in agreed)])
    business = next(day for number in range(1, 4) if (day := reached + datetime.timedelta(number)).weekday() < 5)
    assert now <= business, "14: the day went further than one party may move it"


def check_party(old: Any, new: Any, before: State, after: State) -> None:
    """15, 16: a party's standing changes by vote only, four eyes never end, a payout account was pending before."""
    was, now = old and old["status"], new and new["status"]
    if was != now:
        assert (was, now) in STANDINGS
        if "proposed" not in (was, now):
            check_vote(new["msp_id"], before, after)
    if not old or not new or was == "proposed":
        return
    assert new["four_eyes"] or not old["four_eyes"], "16: four eyes have ended"
    if new["payout_fingerprint"] != old["payout_fingerprint"]:
        day = parsed(after["day"])["date"]
        pending = old["pending_payout"]
        assert pending and pending["fingerprint"] == new["payout_fingerprint"], "15: nobody has announced the account"
        assert pending["from_day"] <= day
    if new["pending_roles"] != old["pending_roles"] and new["pending_roles"]:
        check_vote(new["msp_id"], before, after)


def check_vote(msp_id: str, before: State, after: State) -> None:
    """15: more than half of the parties that were active were for the change that has just been applied."""
    active = {one["msp_id"] for one in records(before, "party/").values() if one["status"] == "active"}
    changes = [
        change
        for key, change in records(after, "membership/").items()
        if change["status"] == "applied" and change["msp_id"] == msp_id and before.get(key) != after[key]
    ]
    assert len(changes) == 1, f"15: {msp_id} has changed without a vote"
    votes = set(changes[0]["votes"]) & active
    assert changes[0]["kind"] != "suspend" or msp_id not in votes
    assert 2 * len(votes) > len(active), "15: a minority has decided"


def limit_minor(party: Any, currency: str, day: str) -> int:
    """What an issuer may issue on a day."""
    pending = party["pending_roles"]
    limits = pending["issue_limits"] if pending and pending["from_day"] <= day else party["issue_limits"]
    return int(limits.get(currency, 0))


def check_issued(before: State, after: State) -> None:
    """3: what is issued, with what others are short of it, grows only within the limit of the day, which may fall."""
    cash = records(after, "account/cash/")
    for key, account in cash.items():
        currency, issuer = account["unit"].split("@")
        earlier = parsed(before[key])["balance_minor"] if key in before else 0
        if account["name"] == f"issued:{issuer}" and account["balance_minor"] < earlier:
            party, day = parsed(after[f"party/{issuer}"]), parsed(after["day"])["date"]
            short = [one for one in cash.values() if one["unit"] == account["unit"] and "suspense:" in one["name"]]
            owed = -account["balance_minor"] - sum(one["balance_minor"] for one in short)
            assert owed <= limit_minor(party, currency, day), "3: more is issued than the limit"


def check_taken_back(before: State, after: State) -> None:
    """17: a document or a report is taken back once, in nothing else changed, and never under what was paid."""
    invoices = [one for one in records(before, "invoice/").values() if one["funded_on"] or one["reservation"]]
    resting = {name for one in invoices for name in (*one["document_ids"], *one["proof_ids"])}
    shipped = {name for one in invoices for name in one["shipment_ids"]}
    for key, old in records(before, "document/").items():
        new = parsed(after[key]) | {"invoice_ids": old["invoice_ids"]}  # `check_resting` looks at these
        if new != old:
            assert new | {"status": "current", "superseded_by": ""} == old, f"17: {key} has changed"
            assert old["document_id"] not in resting, "17: it was paid on this document"
    now = {(one["shipment_id"], one["party"], one["event_id"]): one for one in reported(after)}
    for old in reported(before):
        new = now[old["shipment_id"], old["party"], old["event_id"]]
        if new != old:
            assert new | {"withdrawn_on": ""} == old, f"17: {old['event_id']} has changed"
            assert old["shipment_id"] not in shipped, "17: it was paid on this report"
