"""Records of evidence: documents and what parties attest of them, shipments and what parties report of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.records.codec import Upgrade, adding
from chaincode.records.fields import (
    Ascending,
    Condition,
    Currency,
    Date,
    DateOrNone,
    DocumentKind,
    EventType,
    Fingerprints,
    Hex,
    HexOrNone,
    Id,
    IdOrNone,
    Label,
    LineId,
    MatchVerdict,
    MediaType,
    Msp,
    Parties,
    Range,
    Resting,
    RuleId,
    RuleVerdict,
    Signed,
    Size,
    SizeBytes,
    Verdict,
)

DocumentStatus = Literal["current", "withdrawn", "superseded"]
REPORTS_MAX = 100
"""How many events of one shipment a party may report: a release check reads them all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an invoice document says; `amount_minor` is the amount due in minor units of `currency`.

    `due_date` is empty where the document names none, as terms in words do.
    `supplier`, `buyer` and `payee` are keyed fingerprints of the identifiers (and the account) the document names; an
    empty `payee` means that it names none, and `other_payees` are further accounts. `predecessors` are the `number`
    fingerprints of the invoices that it says to follow or correct. `conditions`: the money is "collected" from the
    buyer, so that no holder can be paid, or the invoice asks for a "prepayment". `deliveries` are the fingerprints of
    all delivery notes of an invoice that names several; of a single one it is that of the kind "delivery".
    """

    LATER: ClassVar[dict[str, Any]] = {"predecessors": [], "other_payees": [], "conditions": [], "deliveries": []}

    amount_minor: Signed
    currency: Currency
    issue_date: Date
    due_date: DateOrNone
    supplier: Hex
    buyer: Hex
    payee: HexOrNone
    predecessors: Annotated[tuple[Hex, ...], Size(0, 20), Ascending()]
    other_payees: Annotated[tuple[Hex, ...], Size(0, 9), Ascending()]
    conditions: Annotated[tuple[Condition, ...], Size(0, 10), Ascending()]
    deliveries: Annotated[tuple[Hex, ...], Size(0, 200), Ascending()]


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """What a verifier found when it checked an invoice by public rules, such as those of EN 16931, for itself.

    `model` is what the rules are for and `packs` are those that were run, with their versions; `broken` are the fatal
    rules that do not hold, the first twenty of them.
    """

    verdict: RuleVerdict
    model: Label
    packs: Annotated[tuple[Label, ...], Size(0, 10)]
    broken: Annotated[tuple[RuleId, ...], Size(0, 20), Ascending()]


@dataclass(frozen=True, slots=True)
class GoodsMatch:
    """What a verifier found when it held goods against each other: those billed, despatched and delivered.

    Of a proof it says "counts": the document counts goods, so the invoice must be matched with it. Of an invoice:
    "full", "part" (what came is `short_bps` basis points of the line that lacks most below what is billed, and
    `lines` are those that lack something), or "unclear", where no machine can tell. `off_days` is how far the
    delivery is from the day that the invoice names, and `proof_ids` are the proofs that it was matched with. `unclear`
    says that something beside what the verdict says cannot be told by a machine.
    """

    LATER: ClassVar[dict[str, Any]] = {"unclear": False}

    verdict: MatchVerdict
    short_bps: Annotated[int, Range(0, 10_000)]
    off_days: Annotated[int, Range(0, 100_000)]
    lines: Annotated[tuple[LineId, ...], Size(0, 20), Ascending()]
    proof_ids: Annotated[tuple[Id, ...], Size(0, 50), Ascending()]
    unclear: bool = False


def match_of_before(old: dict[str, Any]) -> dict[str, Any]:
    """A record with a match, or null, of a time when it said only the worst of what it found."""
    return old | {"match": old["match"] and GoodsMatch.LATER | old["match"]}


def facts_of_before(old: dict[str, Any]) -> dict[str, Any]:
    """A record with facts, or null, of a time when they had not all of their `LATER` fields."""
    return old | {"facts": old["facts"] and Facts.LATER | old["facts"]}


@dataclass(frozen=True, slots=True)
class Document:
    """A document that its submitter keeps; the ledger holds only a salted commitment to its digest.

    `superseded_by` names the document that takes its place, empty unless the status says so. `invoice_ids` are the
    invoices that rest on it; None where an older ledger keeps them in an index of their own.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(status="current", superseded_by="", invoice_ids=None),)

    document_id: Id
    submitter: Msp
    kind: DocumentKind
    media_type: MediaType
    size_bytes: SizeBytes
    algorithm: Literal["SHA-256"]
    commitment: Hex
    entitled: Parties
    day: Date
    status: DocumentStatus
    superseded_by: IdOrNone
    invoice_ids: Resting | None


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a party states that it recomputed from a document itself. All but the verdict counts only if verified.

    `rules` is None for what is no invoice, and of a verifier that does not check by rules; `match` is None where no
    goods are counted, and of a verifier that matches none.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (
        facts_of_before,
        facts_of_before,
        adding(rules=None),
        adding(match=None),
        match_of_before,
    )

    document_id: Id
    party: Msp
    verdict: Verdict
    commitment: HexOrNone
    fingerprints: Fingerprints
    facts: Facts | None
    day: Date
    rules: RuleCheck | None
    match: GoodsMatch | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A delivery from supplier to buyer. The carrier counts as a witness once the buyer has accepted it.

    `invoice_ids` as in Document. `events_listed` says that no event of it has a key of its own, as in an older ledger.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(invoice_ids=None), adding(events_listed=False))

    shipment_id: Id
    supplier: Msp
    buyer: Msp
    carrier: Msp
    carrier_accepted: bool
    reference_fingerprint: Hex
    day: Date
    invoice_ids: Resting | None
    events_listed: bool


@dataclass(frozen=True, slots=True)
class ShipmentEvent:
    """What a party reports of a shipment; `occurred_on` is its claim, `day` when the ledger heard of it.

    One that its reporter has taken back, on `withdrawn_on`, stays and counts no more. In an older ledger each stands
    under a key of its own; since then a party's are listed in its ShipmentReports.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(withdrawn_on=""),)

    shipment_id: Id
    event_id: Id
    party: Msp
    type: EventType
    occurred_on: Date
    partial: bool
    document_id: IdOrNone
    day: Date
    withdrawn_on: DateOrNone


@dataclass(frozen=True, slots=True)
class Report:
    """An event as it stands among a party's; the fields are those of ShipmentEvent.

    `paid` are the invoices that its command paid early: with the event they are what that command was answered.
    """

    event_id: Id
    type: EventType
    occurred_on: Date
    partial: bool
    document_id: IdOrNone
    day: Date
    withdrawn_on: DateOrNone
    paid: Annotated[tuple[Id, ...], Size(0, 200)]


@dataclass(frozen=True, slots=True)
class ShipmentReports:
    """All that a party has reported of a shipment, in the order of the ledger.

    `retold` are the ids under which it has told a delivery again that it had told before, each with the id of the
    event that says so: it happens once, however often told.
    """

    GROWING: ClassVar[str] = "events"

    shipment_id: Id
    party: Msp
    events: Annotated[tuple[Report, ...], Size(0, REPORTS_MAX)]
    retold: Annotated[dict[Id, Id], Size(0, REPORTS_MAX)]


@dataclass(frozen=True, slots=True)
class Reported:
    """In an older ledger, the event by which a party has reported a delivery and not taken it back."""

    event_id: Id


@dataclass(frozen=True, slots=True)
class EventCount:
    """In an older ledger, how many events of a shipment a party has reported."""

    count: Annotated[int, Range(1, 1_000_000)]
