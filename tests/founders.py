"""Organisations in folders of their own, as they are before a founding: keys, and a network.yaml each."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from network import cards, founding, organisation
from network.cards import SignedCard
from network.topology import Topology

NAMES = ("supplier", "buyer", "financier", "carrier")


def now() -> dt.datetime:
    """This moment, and no earlier one: certificates are made while tests run."""
    return dt.datetime.now(dt.UTC)


def begun(home: Path, name: str, consensus: str = "bft", base_port: int = 7050, host: str = "") -> Topology:
    """An organisation with its keys, in a folder of its name."""
    msp_id = f"{name.capitalize()}MSP"
    where = host or f"{name}.example"
    topology, _ = organisation.begin(home / name / "network.yaml", name, where, msp_id, base_port, "scf", consensus)
    return topology


def card_of(topology: Topology) -> SignedCard:
    """The card of the organisation."""
    own = topology.organisations[0]
    return cards.make(own, topology.folders(own.name))


def proposed(parts: list[Topology]) -> founding.SignedFounding:
    """What the first of them proposes to found with all."""
    return founding.propose(parts[0], [card_of(each) for each in parts], now())


def signed_by(parts: list[Topology], begun_founding: founding.SignedFounding) -> founding.SignedFounding:
    """With the signatures of these."""
    for each in parts:
        begun_founding = founding.sign(each, begun_founding)
    return begun_founding
