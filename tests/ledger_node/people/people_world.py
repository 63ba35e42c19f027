"""Persons with certificates and keys of their own, and what they do at their organisation's node: enrol, and sign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api_world import Caller, Reply
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ledger_node.people.persons import sign
from network.identities import ensure_person
from network.topology import demo_topology


@dataclass(frozen=True)
class Human:
    """A person with its own key, which no node ever sees."""

    name: str
    certificate: str
    key: ec.EllipticCurvePrivateKey

    def signature(self, submission: Reply) -> str:
        return sign(self.key, submission.body["signing"]["message"].encode())


def human(home: Path, name: str, organisation: str = "financier") -> Human:
    """A person as the organisation's own authority makes one."""
    topology = demo_topology(home, 20000)
    made = ensure_person(topology.organisation(organisation), topology.folders(organisation), name)
    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Human(name, made.certificate.read_text(), key)


def enrol(caller: Caller, person: Human, certificate: str = "") -> Reply:
    return caller.post(
        "operator", "/v1/persons", {"name": person.name, "certificate": certificate or person.certificate}
    )


def under_four_eyes(caller: Caller, *persons: Human) -> None:
    """Enrol persons until an organisation is under four eyes, and its node shows them."""
    for person in persons:
        enrolled = enrol(caller, person)
        assert enrolled.status == 201, enrolled
        shown(caller, enrolled)
    assert enrolled.body["result"] == {"four_eyes": True}


def shown(caller: Caller, written: Reply) -> None:
    block = str(written.body["block_number"])
    assert caller.get("/v1/persons", Ledger_Block_Min=block).status == 200


def signed(caller: Caller, submission: Reply, signature: str, wait: int = 20) -> Reply:
    path = f"/v1/submissions/{submission.body['id']}/signatures"
    return caller.post("funder", path, {"signature": signature}, wait=wait)


def by_both(caller: Caller, submission: Reply, first: Human, second: Human) -> Reply:
    assert signed(caller, submission, first.signature(submission), wait=0).status == 202
    return signed(caller, submission, second.signature(submission))
