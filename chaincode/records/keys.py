"""The keys under which records stand. One function for each kind of key; nobody writes a key by hand."""

from __future__ import annotations

FOUNDING = "founding"
DAY = "day"


def day_word(msp_id: str) -> str:
    """Key of a party's DayWord: apart from the day, which every command reads."""
    return f"day_word/{msp_id}"


def party(msp_id: str) -> str:
    """Key of a Party."""
    return f"party/{msp_id}"


def parties() -> tuple[str, str]:
    """Range of all parties, 50 at most."""
    return prefix_range("party/")


def person(msp_id: str, commitment: str) -> str:
    """Key of a Person."""
    return f"person/{msp_id}/{commitment}"


def membership(change_id: str) -> str:
    """Key of a MembershipChange."""
    return f"membership/{change_id}"


def document(document_id: str) -> str:
    """Key of a Document."""
    return f"document/{document_id}"


def attestation(document_id: str, msp_id: str) -> str:
    """Key of a party's latest Attestation of a document."""
    return f"attestation/{document_id}/{msp_id}"


def seal(seal_id: str) -> str:
    """Key of a Seal."""
    return f"seal/{seal_id}"


def shipment(shipment_id: str) -> str:
    """Key of a Shipment."""
    return f"shipment/{shipment_id}"


def shipment_reports(shipment_id: str, msp_id: str) -> str:
    """Key of the ShipmentReports: all that a party has reported of a shipment."""
    return f"shipment_reports/{shipment_id}/{msp_id}"


def all_shipment_reports(shipment_id: str) -> tuple[str, str]:
    """Range of what each party has reported of a shipment."""
    return prefix_range(f"shipment_reports/{shipment_id}/")


def shipment_event(shipment_id: str, event_id: str) -> str:
    """Key, in an older ledger, of a ShipmentEvent."""
    return f"shipment_event/{shipment_id}/{event_id}"


def shipment_events(shipment_id: str) -> tuple[str, str]:
    """Range, in an older ledger, of all events of a shipment."""
    return prefix_range(f"shipment_event/{shipment_id}/")


def invoice(invoice_id: str) -> str:
    """Key of an Invoice."""
    return f"invoice/{invoice_id}"


def facility(facility_id: str) -> str:
    """Key of a Facility."""
    return f"facility/{facility_id}"


def acceptance(financier: str, supplier: str) -> str:
    """Key of a financier's SupplierAcceptance."""
    return f"acceptance/{financier}/{supplier}"


def request(invoice_id: str) -> str:
    """Key of the Request for one invoice."""
    return f"request/{invoice_id}"


def standing_request(supplier: str) -> str:
    """Key of a supplier's standing Request."""
    return f"standing_request/{supplier}"


def facility_on(financier: str, buyer: str, currency: str, facility_id: str) -> str:
    """Index key of a facility: on whom, in which currency."""
    return f"facility_on/{financier}/{buyer}/{currency}/{facility_id}"


def facilities_on(financier: str, buyer: str, currency: str) -> tuple[str, str]:
    """Range of a financier's facilities on a buyer in a currency."""
    return prefix_range(f"facility_on/{financier}/{buyer}/{currency}/")


def buyer_limit(financier: str, buyer: str, currency: str) -> str:
    """Key of a financier's BuyerLimit."""
    return f"buyer_limit/{financier}/{buyer}/{currency}"


def hold(financier: str, msp_id: str) -> str:
    """Key of a financier's Hold on a party."""
    return f"hold/{financier}/{msp_id}"


def decline(invoice_id: str, facility_id: str) -> str:
    """Key of a facility's Decline of an invoice."""
    return f"decline/{invoice_id}/{facility_id}"


def discount_offer(invoice_id: str) -> str:
    """Key of a supplier's DiscountOffer to its buyer."""
    return f"discount_offer/{invoice_id}"


def credit_note(credit_note_id: str) -> str:
    """Key of a CreditNote."""
    return f"credit_note/{credit_note_id}"


def misdirected(report_id: str) -> str:
    """Key of the report of a MisdirectedPayment."""
    return f"misdirected/{report_id}"


def unwind(invoice_id: str) -> str:
    """Key of the Consent to unwind an invoice's early payment."""
    return f"unwind/{invoice_id}"


def cash_account(deposit: str, name: str) -> str:
    """Key of an Account of the cash book: "cash:P", "issued:B", ..."""
    return f"account/cash/{deposit}/{name}"


def shortfalls(deposit: str) -> tuple[str, str]:
    """Range of the cash Accounts of a deposit kind that say what parties are short of, one of a party at most."""
    return cash_account(deposit, "suspense:"), cash_account(deposit, "suspense;")


def obligation_account(invoice_id: str, name: str) -> str:
    """Key of an Account of the obligations book: "recv:P", "pay:P", ..."""
    return f"account/obligation/{invoice_id}/{name}"


def entry(msp_id: str, command_id: str, number: int) -> str:
    """Key of the Entry of that number (0 to 399) within a command, in whose order a ledger gives them.

    An older ledger has two digits for 0 to 99.
    """
    return f"entry/{msp_id}/{command_id}/{number:03d}"


def fingerprint(epoch: int, kind: str, supplier: str, value: str) -> str:
    """Key of the claims on a Fingerprint: each supplier's apart, since all kinds are made of the supplier's name too.

    So nobody can claim another supplier's numbers before it does.
    """
    return f"fingerprint/{epoch}/{kind}/{supplier}/{value}"


def buyer_reference(buyer: str, value: str) -> str:
    """Key that says a buyer's own reference has been used for an approval."""
    return f"buyer_reference/{buyer}/{value}"


def booked_credit(issuer: str, value: str) -> str:
    """Key of a BookedCredit, which says that deposit money was issued against it."""
    return f"booked_credit/{issuer}/{value}"


def bank_entry(side: str, deposit: str, reference: str, party: str, amount_minor: int, day: str, value: str) -> str:
    """Index key: the issuer's bank has booked that amount of a party's, by "credit" or "payment", on that day.

    `reference` is the fingerprint of the bank's reference alone, `value` tells two entries of one day apart.
    """
    return f"bank_entry/{side}/{deposit}/{reference}/{party}/{amount_minor}/{day}/{value}"


def bank_entries(
    side: str, deposit: str, reference: str, party: str, amount_minor: int, first: str, last: str
) -> tuple[str, str]:
    """Range of the entries of that reference, party and amount from the `first` day to the `last`."""
    alike = f"bank_entry/{side}/{deposit}/{reference}/{party}/{amount_minor}"
    return f"{alike}/{first}/", f"{alike}/{last}0"


def redemption(redemption_id: str) -> str:
    """Key of a Redemption."""
    return f"redemption/{redemption_id}"


def command(msp_id: str, command_id: str) -> str:
    """Key of a Command that was applied."""
    return f"command/{msp_id}/{command_id}"


def document_links(document_id: str) -> tuple[str, str]:
    """Range of the index, in an older ledger, of all invoices that rest on a document."""
    return prefix_range(f"link/document/{document_id}/")


def shipment_links(shipment_id: str) -> tuple[str, str]:
    """Range of the index, in an older ledger, of all invoices that rest on a shipment."""
    return prefix_range(f"link/shipment/{shipment_id}/")


def open_item(buyer: str, due_date: str, invoice_id: str) -> str:
    """Index key: the buyer owes this invoice, due on that day."""
    return f"open/{buyer}/{due_date}/{invoice_id}"


def open_items_due_before(buyer: str, day: str) -> tuple[str, str]:
    """Range of what the buyer owes that was due before `day`, the oldest first."""
    return f"open/{buyer}/", f"open/{buyer}/{day}"


def unacknowledged(buyer: str, notice_day: str, invoice_id: str) -> str:
    """Index key: the buyer has not acknowledged the assignment noticed on that day."""
    return f"unacknowledged/{buyer}/{notice_day}/{invoice_id}"


def unacknowledged_noticed_before(buyer: str, day: str) -> tuple[str, str]:
    """Range of the buyer's unacknowledged assignments noticed before `day`, the oldest first."""
    return f"unacknowledged/{buyer}/", f"unacknowledged/{buyer}/{day}"


def prefix_range(prefix: str) -> tuple[str, str]:
    """The range of all keys that begin with `prefix`, which ends in a slash ("0" is the next character)."""
    return prefix, f"{prefix[:-1]}0"


def last_part(key: str) -> str:
    """The last part of a key: the invoice id of every index key."""
    return key.rpartition("/")[2]
