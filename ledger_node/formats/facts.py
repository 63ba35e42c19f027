"""What documents say, as plain frozen data, and the one way in which a document is refused.

Facts are what the document itself says, recomputed by every verifier; nothing here comes from what an uploader claims.
Money is an integer of minor units, dates are dates, text is trimmed and free of characters that no register accepts.
Source: EN 16931-1 (the BT and BG numbers), GS1 EPCIS 2.0 and CBV 2.0, ISO 4217.
"""

from __future__ import annotations

import dataclasses
import datetime
import unicodedata
from enum import StrEnum

from ledger_node.errors import BadRequest

TEXT_CHARACTERS_MAX = 1000


class FormatCode(StrEnum):
    """Why a document is refused; a name, once given, never changes its meaning."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    MEDIA_TYPE = "MEDIA_TYPE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    NOT_WELL_FORMED = "NOT_WELL_FORMED"
    DOCTYPE = "DOCTYPE"
    DUPLICATE_NAME = "DUPLICATE_NAME"
    NOT_AN_INVOICE = "NOT_AN_INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    NOT_A_CREDIT_NOTE = "NOT_A_CREDIT_NOTE"
    NO_CLAIM = "NO_CLAIM"
    TYPE_CODE = "TYPE_CODE"
    NOT_EVENTS = "NOT_EVENTS"
    NOT_A_PDF = "NOT_A_PDF"
    ENCRYPTED = "ENCRYPTED"
    NO_INVOICE_INSIDE = "NO_INVOICE_INSIDE"
    SCHEMA = "SCHEMA"
    MISSING = "MISSING"
    AMBIGUOUS = "AMBIGUOUS"
    TEXT = "TEXT"
    DATE = "DATE"
    DUE_BEFORE_ISSUE = "DUE_BEFORE_ISSUE"
    DUE_DATE_MISSING = "DUE_DATE_MISSING"
    DUE_DATE_IN_DOCUMENT = "DUE_DATE_IN_DOCUMENT"
    CURRENCY = "CURRENCY"
    AMOUNT = "AMOUNT"
    TOTALS = "TOTALS"
    RULES_BROKEN = "RULES_BROKEN"
    INSTALMENTS = "INSTALMENTS"
    PARTY_DIFFERS = "PARTY_DIFFERS"
    PAYEE_DIFFERS = "PAYEE_DIFFERS"
    COLLECTED = "COLLECTED"
    CREDIT_DIFFERS = "CREDIT_DIFFERS"
    VOCABULARY = "VOCABULARY"
    QUANTITY = "QUANTITY"
    CHECKSUM = "CHECKSUM"


class FormatError(BadRequest):
    """The document cannot be read as what it should be; `code` names the reason for programs.

    Args:
        code: the reason.
        text: what is wrong, in one sentence.
        remedy: what the sender can do.
    """

    def __init__(self, code: FormatCode, text: str, remedy: str = "") -> None:
        super().__init__(text, remedy)
        self.code = code


@dataclasses.dataclass(frozen=True, slots=True)
class PartyFacts:
    """A party as a document names it; a field that the document leaves out is empty.

    `identifiers` are (scheme, identifier) pairs in order, the scheme an ISO 6523 code or empty; `tax_ids` are pairs
    too, of tax numbers under another scheme than VAT, such as ("GST", "M90001234A").
    """

    name: str = ""
    legal_id: str = ""
    legal_id_scheme: str = ""
    vat_id: str = ""
    tax_ids: tuple[tuple[str, str], ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class GoodsFacts:
    """Some goods, as an invoice's line, a despatch advice or an event names and counts them.

    `line` is the line's own id, or "". `identifiers` are (scheme, identifier) pairs in order: "gtin" (14 digits),
    "seller" and "buyer" (their item numbers), "order" (an order's number and line), "sscc" (a logistic unit),
    "container", "serial" (one thing of a GTIN: never counted twice). `quantity` is a decimal number as text, "" where
    nothing is counted; `unit` a code of UN/ECE Recommendation 20, "" for pieces.
    """

    line: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()
    quantity: str = ""
    unit: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What an invoice says.

    `amount_minor` is the amount due for payment (BT-115) in minor units of `currency`, at least 1; `due_date` is the
    last one named, None when there is none, and then `has_terms` says whether it has payment terms in words (BT-20).
    `order_reference` is the buyer's purchase order (BT-13), `shipment_references` are the despatch advices and delivery
    notes (BT-16), `preceding_references` the invoices that it follows or corrects (BT-25). `payee` is the party to be
    paid when it is not the supplier (BG-10), `payment_means` are the codes of BT-81, sorted, `payee_accounts` the
    accounts to pay to (BT-84), without spaces. `goods` are its lines (BG-25), `delivered_on` and `delivered_to` the
    actual delivery date (BT-72) and the GLN delivered to (BT-71), where it names them.
    """

    syntax: str
    type_code: str
    invoice_number: str
    issue_date: datetime.date
    due_date: datetime.date | None
    has_terms: bool
    currency: str
    amount_minor: int
    supplier: PartyFacts
    buyer: PartyFacts
    payee: PartyFacts | None
    payment_means: tuple[str, ...]
    payee_accounts: tuple[str, ...]
    order_reference: str
    shipment_references: tuple[str, ...]
    preceding_references: tuple[str, ...]
    goods: tuple[GoodsFacts, ...] = ()
    delivered_on: datetime.date | None = None
    delivered_to: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class CreditNoteFacts:
    """What a credit note says: `amount_minor` is what it takes off, in minor units of `currency`, at least 1;
    `preceding_references` are the invoices that it is for (BT-25), where it names any."""

    number: str
    currency: str
    amount_minor: int
    supplier: PartyFacts
    buyer: PartyFacts
    preceding_references: tuple[str, ...]


class EventKind(StrEnum):
    """What an event says about a shipment: it left, it arrived, something else, or it was taken back as wrong."""

    DEPARTURE = "departure"
    DELIVERY = "delivery"
    RETRACTED = "retracted"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, slots=True)
class EventFacts:
    """One event of a transport, in whatever standard it was told: what happened, where, when, to which goods.

    `time` is RFC 3339 in UTC, or the day where no more is said; `own_day` is the date at the place where it happened,
    "" where that is the same, and makes no other event of one; `location` is where (bizLocation, else readPoint; a
    UN/LOCODE or a facility); `parties_from` and `parties_to` are the identifiers of sources and destinations;
    `shipment_references` are the numbers of despatch advices and bills of lading, `order_references` those of purchase
    orders, each without its URI, sorted and once. `said_by` is who says so and `recorded_at` when it was recorded,
    where the document tells; `event_hash` is that of CBV 2.0 section 8.9, of EPCIS alone.
    """

    kind: EventKind
    event_type: str
    event_id: str
    time: str
    action: str
    biz_step: str
    disposition: str
    location: str
    parties_from: tuple[str, ...]
    parties_to: tuple[str, ...]
    shipment_references: tuple[str, ...]
    order_references: tuple[str, ...]
    goods: tuple[GoodsFacts, ...] = ()
    said_by: str = ""
    recorded_at: str = ""
    event_hash: str = ""
    own_day: str = dataclasses.field(default="", compare=False)

    @property
    def day(self) -> str:
        """The date at the place where it happened, YYYY-MM-DD."""
        return self.own_day or self.time[:10]


@dataclasses.dataclass(frozen=True, slots=True)
class TransportFacts:
    """What a file of transport events says: its events in the order of the file, at least one.

    A despatch advice is one event, that the goods left; so is a bill of lading.
    """

    events: tuple[EventFacts, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class PdfFacts:
    """What can be said of a PDF without a person reading it: it opens, and has that many pages."""

    page_count: int


Facts = InvoiceFacts | CreditNoteFacts | TransportFacts | PdfFacts


def facts_json(facts: Facts) -> dict[str, object]:
    """Facts as JSON, the form whose digest is committed to in an attestation.

    Args:
        facts: of any document.

    Returns: `{"type", ...}` of strings, integers, lists, objects and null; dates as YYYY-MM-DD.
    """
    return {"type": type(facts).__name__, **{name: _plain(value) for name, value in dataclasses.asdict(facts).items()}}


def clean_text(value: str, what: str) -> str:
    """Text for facts: trimmed, inner white space as one blank.

    Args:
        value: as the document has it.
        what: its name, for the error.

    Raises: FormatError for control characters, lone surrogates, or more than TEXT_CHARACTERS_MAX.
    """
    text = " ".join(value.split())
    if len(text) > TEXT_CHARACTERS_MAX:
        raise FormatError(FormatCode.TEXT, f"{what} is longer than {TEXT_CHARACTERS_MAX} characters")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise FormatError(
                FormatCode.TEXT, f"{what} holds the character U+{ord(character):04X}", "take it out of the document"
            )
    return text


def _plain(value: object) -> object:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, StrEnum) else value
