"""The papers of one trade: an invoice, transport events, a proof of delivery; made now, or the player's own.

Those of the main trade count their goods, and a despatch advice is among them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ledger_node.demo import goods, samples
from ledger_node.errors import BadRequest
from ledger_node.formats import read_facts
from ledger_node.formats.amounts import currency_exponent
from ledger_node.formats.facts import FormatError, InvoiceFacts, PartyFacts
from ledger_node.formats.sniff import JSON, PDF, XML, sniff

DUE_DAYS = 60
PACKAGES = 9
TRANSIT_DAYS = 2


@dataclass(frozen=True)
class Papers:
    """The files of one trade, what its invoice says, and the ledger's day it is played on; `despatch` may be empty."""

    invoice: bytes
    events: bytes
    proof: bytes
    facts: InvoiceFacts
    today: dt.date
    despatch: bytes = b""

    @property
    def shipment_reference(self) -> str:
        """The number both the invoice and the transport papers carry; the order's, else the invoice's, when none."""
        named = (*self.facts.shipment_references, self.facts.order_reference, self.facts.invoice_number)
        return next(filter(None, named))

    @property
    def names(self) -> list[str]:
        """Which files there are, in the order that they are uploaded in."""
        return [name for name in ("invoice", "despatch", "events", "proof") if getattr(self, name)]

    @property
    def invoice_media_type(self) -> str:
        """XML, or PDF for a hybrid invoice."""
        return sniff(self.invoice)

    def with_changed_invoice_file(self) -> Papers:
        """The same invoice in a file with other bytes: a comment is added at its end, as any tool might."""
        comment = b"\n% second copy\n" if self.invoice_media_type == PDF else b"\n<!-- second copy -->\n"
        return dataclasses.replace(self, invoice=self.invoice.rstrip() + comment)


def generate(today: dt.date, like: InvoiceFacts | None = None, corrects: str = "") -> Papers:
    """New papers, with numbers that were never used before, and an amount by chance.

    Args:
        today: date of the invoice and of the delivery.
        like: take supplier, buyer, currency and account from this invoice; the demo's own when None.
        corrects: the number of an invoice that this one corrects.
    """
    supplier, buyer = samples.SUPPLIER, samples.BUYER
    currency, iban = "EUR", samples.SUPPLIER_IBAN
    if like is not None:
        supplier, buyer = entity_like(like.supplier, supplier), entity_like(like.buyer, buyer)
        currency, iban = like.currency, "".join(like.payee_accounts[:1])
    number, order, reference = _numbers(today)
    # Between 40 000 and 50 000 units: two trades of one day with the same amount would look like duplicates.
    amount_minor = (40_000 * 10**5 + secrets.randbelow(10_000 * 10**5)) // 10 ** (5 - currency_exponent(currency))
    invoice = samples.invoice_ubl(
        number=number,
        supplier=supplier,
        buyer=buyer,
        issue_date=today,
        due_date=today + dt.timedelta(days=DUE_DAYS),
        currency=currency,
        amount_minor=amount_minor,
        order_reference=order,
        shipment_reference=reference,
        iban=iban,
        corrects=corrects,
    )
    return Papers(invoice, *transport_papers(reference, order, today), facts=facts_of(invoice), today=today)


def counted(today: dt.date) -> Papers:
    """New papers that count their goods: an invoice as Factur-X, a despatch advice, events with quantities."""
    number, order, reference = _numbers(today)
    invoice = goods.invoice_pdf(number, order, reference, today, today + dt.timedelta(days=DUE_DAYS))
    events, proof = transport_papers(reference, order, today, {goods.GTIN: goods.PIECES})
    despatch = goods.despatch_advice(reference, order, today - dt.timedelta(days=TRANSIT_DAYS))
    return Papers(invoice, events, proof, facts=facts_of(invoice), today=today, despatch=despatch)


def from_files(
    invoice: Path | None, despatch: Path | None, events: Path | None, proof: Path | None, today: dt.date
) -> Papers:
    """The player's own files; what is not named is made to fit the invoice. Of the player's goods nothing is made up.

    Raises: BadRequest when a file cannot be read, or is not what it is named as.
    """
    made = counted(today) if invoice is None and despatch is None and events is None else generate(today)
    if invoice is not None:
        content = checked(invoice, "invoice", XML)
        facts = facts_of(content)
        made = dataclasses.replace(made, invoice=content, facts=facts)
        order = facts.order_reference or facts.invoice_number
        made_events, made_proof = transport_papers(made.shipment_reference, order, today)
        made = dataclasses.replace(made, events=made_events, proof=made_proof)
    if despatch is not None:
        made = dataclasses.replace(made, despatch=checked(despatch, "transport_events", XML))
    if events is not None:
        made = dataclasses.replace(made, events=checked(events, "transport_events", JSON))
    if proof is not None:
        made = dataclasses.replace(made, proof=checked(proof, "proof_of_delivery", PDF))
    return made


def write(made: Papers, folder: Path) -> list[str]:
    """Write papers as files; returns their paths. The shipment's number is in the transport events."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = "pdf" if made.invoice_media_type == PDF else "xml"
    contents = {f"invoice.{kind}": made.invoice, "despatch.xml": made.despatch}
    contents |= {"events.json": made.events, "proof.pdf": made.proof}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


def transport_papers(
    reference: str, order: str, today: dt.date, pieces: dict[str, int] | None = None
) -> tuple[bytes, bytes]:
    """EPCIS events and a proof of delivery for a shipment that left two days ago and arrived now.

    Args:
        pieces: how many of each GTIN the events count; None for events that count no goods.
    """
    arrived = dt.datetime.combine(today, dt.time(8, 30), dt.UTC)
    left = arrived - dt.timedelta(days=TRANSIT_DAYS)
    events = samples.delivery_events_epcis(reference, order, samples.SUPPLIER, samples.BUYER, left, arrived, pieces)
    return events, samples.proof_of_delivery_pdf(reference, order, samples.SUPPLIER, samples.BUYER, today, PACKAGES)


def _numbers(today: dt.date) -> tuple[str, str, str]:
    """Of an invoice, its order and its shipment."""
    invoice = f"INV-{today.year}-{secrets.randbelow(10**8):08d}"
    return invoice, f"PO-{secrets.token_hex(3).upper()}", f"SHP-{secrets.token_hex(4).upper()}"


def content_of(path: Path) -> bytes:
    """A file's bytes.

    Raises: BadRequest.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}", "Name a file that exists.") from error


def checked(path: Path, kind: str, media_type: str) -> bytes:
    """A file's bytes, after they were read as a node would read them.

    Raises: BadRequest naming the file and what is wrong with it.
    """
    content = content_of(path)
    try:
        facts = read_facts(kind, (sniff(content) if kind == "invoice" else "") or media_type, path)
    except FormatError as error:
        raise BadRequest(f"{path} cannot be played as {kind}: {error.code}: {error.text}", error.remedy) from error
    if isinstance(facts, InvoiceFacts) and facts.due_date is None:
        raise BadRequest(f"{path} cannot be played: the invoice names no due date", "Play one that has a date (BT-9).")
    return content


def facts_of(invoice: bytes) -> InvoiceFacts:
    """What an invoice says, read by the code that every verifier uses.

    Raises: FormatError.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(invoice)
        file.flush()
        facts = read_facts("invoice", sniff(invoice) or XML, Path(file.name))
    assert isinstance(facts, InvoiceFacts)
    return facts


def entity_like(party: PartyFacts, address: samples.LegalEntity) -> samples.LegalEntity:
    """A party of an invoice as the sender of another one; the address is borrowed."""
    return dataclasses.replace(address, name=party.name, lei=party.legal_id, vat_id=party.vat_id)
