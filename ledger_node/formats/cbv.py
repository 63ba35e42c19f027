"""The Core Business Vocabulary: the words that EPCIS events may use, and what they mean to a shipment.

Short names, URNs and web URIs of GS1's own words are one word here; a word of somebody else's vocabulary is a URI and
means nothing to us. Source: GS1 CBV 2.0, sections 7.1 (business steps), 7.2 (dispositions), 7.3 (business
transaction types), 7.4 (sources and destinations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger_node.formats.facts import FormatCode, FormatError


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One list of words: what it is called, how its URNs and web URIs begin, and the words."""

    name: str
    urn: str
    web: str
    words: frozenset[str]


BIZ_STEP = Vocabulary(
    "bizStep",
    "bizstep",
    "BizStep",
    frozenset(
        [
            "accepting",
            "arriving",
            "assembling",
            "collecting",
            "commissioning",
            "consigning",
            "creating_class_instance",
            "cycle_counting",
            "decommissioning",
            "departing",
            "destroying",
            "disassembling",
            "dispensing",
            "encoding",
            "entering_exiting",
            "holding",
            "inspecting",
            "installing",
            "killing",
            "loading",
            "other",
            "packing",
            "picking",
            "receiving",
            "removing",
            "repackaging",
            "repairing",
            "replacing",
            "reserving",
            "retail_selling",
            "sampling",
            "sensor_reporting",
            "shipping",
            "staging_outbound",
            "stock_taking",
            "stocking",
            "storing",
            "transporting",
            "unloading",
            "unpacking",
            "void_shipping",
        ]
    ),
)
DISPOSITION = Vocabulary(
    "disposition",
    "disp",
    "Disp",
    frozenset(
        [
            "active",
            "available",
            "completeness_inferred",
            "completeness_verified",
            "conformant",
            "container_closed",
            "container_open",
            "damaged",
            "destroyed",
            "dispensed",
            "disposed",
            "encoded",
            "expired",
            "in_progress",
            "in_transit",
            "inactive",
            "mismatch_class",
            "mismatch_instance",
            "mismatch_quantity",
            "needs_replacement",
            "no_pedigree_match",
            "non_conformant",
            "non_sellable_other",
            "partially_dispensed",
            "recalled",
            "reserved",
            "retail_sold",
            "returned",
            "sellable_accessible",
            "sellable_not_accessible",
            "stolen",
            "unavailable",
            "unknown",
        ]
    ),
)
TRANSACTION_TYPE = Vocabulary(
    "business transaction type",
    "btt",
    "BTT",
    frozenset(
        [
            "bol",
            "cert",
            "desadv",
            "inv",
            "pedigree",
            "po",
            "poc",
            "prodorder",
            "recadv",
            "rma",
            "testprd",
            "testres",
            "upevt",
        ]
    ),
)
PARTY_TYPE = Vocabulary(
    "source or destination type", "sdt", "SDT", frozenset(["owning_party", "possessing_party", "location"])
)

# Custody passes when goods are received or accepted. "arriving" is the truck at the gate: nobody has taken them yet.
DELIVERY_STEPS = frozenset({"receiving", "accepting"})
DEPARTURE_STEPS = frozenset({"shipping", "departing"})
# Goods that came, but not as agreed: no delivery that money may follow by itself.
ADVERSE_DISPOSITIONS = frozenset(
    [
        "damaged",
        "destroyed",
        "disposed",
        "expired",
        "mismatch_class",
        "mismatch_instance",
        "mismatch_quantity",
        "needs_replacement",
        "non_conformant",
        "recalled",
        "returned",
        "stolen",
    ]
)
SHIPMENT_TYPES = frozenset({"desadv", "bol"})
ORDER_TYPES = frozenset({"po"})

_GS1 = re.compile(r"(urn:epcglobal:cbv:|https?://(?:ref|ns)\.gs1\.org/cbv/|cbv:)(.*)", re.DOTALL)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def word(value: str, vocabulary: Vocabulary) -> str:
    """A word of a vocabulary in its short form, or the URI of a word from somewhere else.

    Args:
        value: short name, GS1 URN, GS1 web URI, or a URI of another vocabulary.
        vocabulary: which list it must be in.

    Raises: FormatError for a short name or GS1 URI that the list does not have.
    """
    match = _GS1.fullmatch(value)
    short = value
    if match:
        begin = f"{vocabulary.urn}:" if match[1].startswith("urn:") else f"{vocabulary.web}-"
        short = match[2].removeprefix(begin) if match[2].startswith(begin) else ""
    elif _URI.fullmatch(value):
        return value
    if short not in vocabulary.words:
        raise FormatError(
            FormatCode.VOCABULARY, f"{value[:120]!r} is no {vocabulary.name} of CBV 2.0", "use a word of CBV 2.0"
        )
    return short
