"""Attacks on what peers, people and records say; and changes that are no attack. The table is that of `attacks`."""

from __future__ import annotations

import datetime as dt
import hashlib

from attacks import attack, sent
from forge import NAMES, NOW, YEAR, Authority, Consortium, id_of, unb64
from story import DOCUMENT, Story, replaced, tell


@attack("committed")
def a_transaction_was_invalidated(story: Story) -> None:
    given = story.payload["transactions"][0]
    story.payload["transactions"][0] = story.consortium.witnessed(unb64(given["envelope"]), 5, 1, code=11)


@attack("committed")
def two_of_four_organisations_say_that_it_counts(story: Story) -> None:
    story.payload["transactions"][0]["answers"].pop()


@attack("committed")
def one_peer_says_it_three_times(story: Story) -> None:
    given = story.payload["transactions"][0]
    given["answers"] = [given["answers"][0]] * 3


@attack("committed")
def two_peers_of_one_organisation_count_once(story: Story) -> None:
    of = story.consortium.of
    peers = [of["BuyerMSP"].peer, of["BuyerMSP"].authority.issue("peer"), of["CarrierMSP"].peer]
    given = story.payload["transactions"][0]
    story.payload["transactions"][0] = story.consortium.witnessed(unb64(given["envelope"]), 5, 1, peers=peers)


@attack("committed")
def clients_answer_in_the_place_of_peers(story: Story) -> None:
    clients = [story.consortium.of[name].client for name in NAMES[:3]]
    given = story.payload["transactions"][0]
    story.payload["transactions"][0] = story.consortium.witnessed(unb64(given["envelope"]), 5, 1, peers=clients)


@attack("committed")
def the_answers_are_about_another_transaction(story: Story) -> None:
    other = story.payload["transactions"][1]
    story.payload["transactions"][0] |= {"answers": other["answers"], "question": other["question"]}


@attack("committed")
def the_answers_are_to_another_question(story: Story) -> None:
    envelope = unb64(story.payload["transactions"][0]["envelope"])
    later = story.consortium.witnessed(envelope, 5, 1, at=NOW + dt.timedelta(hours=1))
    story.payload["transactions"][0]["question"] = later["question"]


@attack("people")
def a_senders_certificate_is_expired(story: Story) -> None:
    old = story.consortium.of["SupplierMSP"].authority.issue("client", until=NOW)
    replaced(story, 0, sent(story, 0, sender=old))


@attack("people")
def a_senders_certificate_is_revoked(story: Story) -> None:
    serial = story.consortium.of["SupplierMSP"].client.certificate.serial_number
    member = next(each for each in story.trust["configurations"][0]["members"] if each["msp_id"] == "SupplierMSP")
    member["revoked"] = [f"{serial:x}"]


@attack("people")
def a_senders_certificate_is_revoked_in_a_later_configuration(story: Story) -> None:
    first = story.trust["configurations"][0]
    later = Story(story.consortium, {}, {"configurations": [first]}).copy().trust["configurations"][0]
    later["block"] = 100
    serial = story.consortium.of["BuyerMSP"].client.certificate.serial_number
    next(each for each in later["members"] if each["msp_id"] == "BuyerMSP")["revoked"] = [f"{serial:x}"]
    story.trust["configurations"].append(later)


@attack("people")
def a_sender_of_another_organisation_under_its_name(story: Story) -> None:
    stranger = Authority("SupplierMSP").issue("client")
    replaced(story, 0, sent(story, 0, sender=stranger))


@attack("people")
def the_document_was_recorded_by_somebody_else_than_it_says(story: Story) -> None:
    replaced(story, 0, sent(story, 0, sender=story.consortium.of["CarrierMSP"].client))


@attack("people")
def an_attestation_was_sent_by_the_submitter(story: Story) -> None:
    replaced(story, 1, sent(story, 1, sender=story.consortium.of["SupplierMSP"].client))


@attack("commitment")
def another_documents_salt(story: Story) -> None:
    story.payload["documents"][0]["salt"] = "ff" * 32


@attack("commitment")
def a_commitment_that_opens_and_is_not_the_ledgers(story: Story) -> None:
    document = story.payload["documents"][0]
    document["salt"] = "ff" * 32
    opened = b"\0" + bytes.fromhex(document["salt"]) + bytes.fromhex(document["digest"])
    document["commitment"] = hashlib.sha256(opened).hexdigest()


@attack("file")
def the_bundle_is_of_another_file(story: Story) -> None:
    story.payload["documents"][0]["digest"] = "ab" * 32


@attack("status")
def a_record_says_something_else_than_was_written(story: Story) -> None:
    record = story.payload["records"][2]
    record["value"] = record["value"].replace("verified", "mismatch")


@attack("status")
def a_record_is_left_out_that_changes_what_another_says(story: Story) -> None:
    """A later transaction of the bundle has written the same key again."""
    of = story.consortium.of
    key = f"attestation/{DOCUMENT}/BuyerMSP"
    endorsers = [of[name].peer for name in NAMES[:3]]
    envelope = story.consortium.transaction({key: '{"verdict":"mismatch"}'}, of["BuyerMSP"].client, endorsers, at=NOW)
    story.payload["transactions"].append(story.consortium.witnessed(envelope, 8, 0))
    story.payload["blocks"].append(story.consortium.block(8, [envelope]))


def _again(story: Story, block: int, value: str, at: dt.datetime, **reads: object) -> None:
    """The buyer's attestation once more, at a block after all others."""
    of, key = story.consortium.of, f"attestation/{DOCUMENT}/BuyerMSP"
    endorsers = [of[name].peer for name in NAMES[:3]]
    envelope = story.consortium.transaction({key: value}, of["BuyerMSP"].client, endorsers, at=at, **reads)  # type: ignore[arg-type]
    given = story.consortium.witnessed(envelope, block, 0)
    story.payload["transactions"].append(given)
    story.payload["blocks"].append(story.consortium.block(block, [envelope]))
    story.payload["records"].append({"key": key, "transaction": given["id"], "value": value})


@attack("status")
def a_transaction_ordered_once_more_rests_on_what_was_before(story: Story) -> None:
    """Its time says nothing, but it has read that nobody had written there yet."""
    key = f"attestation/{DOCUMENT}/BuyerMSP"
    _again(story, 8, '{"verdict":"mismatch"}', NOW + dt.timedelta(minutes=9), reads={key: None})


@attack("status")
def a_transaction_ordered_once_more_rests_on_an_older_value(story: Story) -> None:
    key = f"attestation/{DOCUMENT}/BuyerMSP"
    _again(story, 8, '{"verdict":"mismatch"}', NOW + dt.timedelta(minutes=9), reads={key: (4, 0)})


@attack("status")
def the_subjects_record_is_not_there(story: Story) -> None:
    story.payload["subject"] = {"id": DOCUMENT, "kind": "invoice"}


@attack("status")
def a_record_of_a_transaction_that_is_not_there(story: Story) -> None:
    story.payload["records"].append({"key": "account/cash", "transaction": "ab" * 32, "value": "{}"})


def control_of(consortium: Consortium) -> Story:
    """The true story that every attack differs from in one thing."""
    return tell(consortium)


def revoked_neighbour(story: Story) -> None:
    """Somebody else's certificate is revoked: no attack."""
    other = story.consortium.of["SupplierMSP"].authority.issue("client", until=NOW + YEAR).certificate
    story.trust["configurations"][0]["members"][3]["revoked"] = [f"{other.serial_number:x}"]


def attested_again(story: Story) -> None:
    """A later attestation that has read the earlier one, a deletion, and what was written after it: no attack."""
    key, later = f"attestation/{DOCUMENT}/BuyerMSP", [NOW + dt.timedelta(minutes=each) for each in (9, 10, 11)]
    _again(story, 8, '{"verdict":"mismatch"}', later[0], reads={key: (6, 1)})
    _again(story, 9, "", later[1], reads={key: (8, 0)})
    _again(story, 10, '{"verdict":"verified"}', later[2], reads={key: None})


def told_of_all(story: Story) -> None:
    """Four orderers and four peers sign, more than are needed: no attack."""
    people = list(story.consortium.of.values())
    for place, block in enumerate(story.payload["blocks"]):
        data = [unb64(each) for each in block["data"]]
        signers = [(number, each.orderer) for number, each in enumerate(people, 1)]
        story.payload["blocks"][place] = story.consortium.block(block["number"], data, signers)
    for place, given in enumerate(story.payload["transactions"]):
        envelope, peers = unb64(given["envelope"]), [each.peer for each in people]
        assert id_of(envelope) == given["id"]
        story.payload["transactions"][place] = story.consortium.witnessed(envelope, given["block"], 1, peers=peers)
