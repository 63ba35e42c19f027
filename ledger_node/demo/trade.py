"""One trade, step by step, as the four organisations would play it through their nodes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chaincode.money import Money
from ledger_node.demo.papers import Papers
from ledger_node.demo.stage import WAIT_SECONDS, Stage, await_true
from ledger_node.errors import NodeError

JSON = dict[str, Any]
PROOFS = {
    "despatch": ("transport_events", "application/xml"),
    "events": ("transport_events", "application/json"),
    "proof": ("proof_of_delivery", "application/pdf"),
}


@dataclass
class Trade:
    """One invoice on its way: ids as they become known, and the submissions that carried it."""

    stage: Stage
    facility_id: str
    papers: Papers
    label: str
    documents: dict[str, str] = field(default_factory=dict)
    shipment_id: str = ""
    invoice_id: str = ""

    def upload(self, name: str, wait: bool = True) -> JSON:
        """The supplier uploads one of the papers; those entitled may fetch it.

        Args:
            name: "invoice", "despatch", "events" or "proof".
            wait: until the ledger has registered it.
        """
        kind, media_type = PROOFS.get(name, ("invoice", self.papers.invoice_media_type))
        readers = ["buyer", "financier"] + (["carrier"] if kind != "invoice" else [])
        client = self.stage.client("supplier", "uploader")
        entitled = [self.stage.msp_id(reader) for reader in readers]
        content = getattr(self.papers, name)
        submission = client.upload(content, kind=kind, media_type=media_type, entitled=entitled, wait_seconds=0)
        self.documents[name] = submission["record_id"]
        return client.await_submission(submission["id"], WAIT_SECONDS) if wait else submission

    def ship(self) -> None:
        """The supplier registers the shipment and its carrier; the buyer accepts that carrier."""
        body = {
            "buyer": self.stage.msp_id("buyer"),
            "carrier": self.stage.msp_id("carrier"),
            "reference": self.papers.shipment_reference,
        }
        self.shipment_id = self.stage.send("supplier", "uploader", "/v1/shipments", body)["record_id"]
        self.stage.send("buyer", "approver", f"/v1/shipments/{self.shipment_id}/carrier-acceptance", {})

    def register(self) -> JSON:
        """The supplier registers the invoice with its proofs; facts are read from the file by the node."""
        body = {
            "document_id": self.documents["invoice"],
            "proof_ids": [self.documents[name] for name in PROOFS if name in self.documents],
            "shipment_ids": [self.shipment_id],
            "buyer": self.stage.msp_id("buyer"),
        }
        submission = self.stage.send("supplier", "uploader", "/v1/invoices", body)
        self.invoice_id = submission["record_id"]
        return submission

    def request(self) -> JSON:
        """The supplier offers the invoice for early payment."""
        body = {
            "facility_ids": [self.facility_id],
            "net_min": Money(0, self.papers.facts.currency).decimal(),
            "valid_until": (self.papers.today + timedelta(days=30)).isoformat(),
        }
        return self.stage.send("supplier", "uploader", f"/v1/invoices/{self.invoice_id}/early-payment-request", body)

    def deliver(self, by: str = "carrier") -> JSON:
        """The carrier (or, in an attack, somebody else) reports the delivery."""
        body = {"type": "delivered", "occurred_on": self.papers.today.isoformat(), "partial": False, "document_id": ""}
        return self.stage.send(by, "uploader", f"/v1/shipments/{self.shipment_id}/events", body)

    def approve(self) -> JSON:
        """The buyer undertakes to pay."""
        facts = self.shown("buyer")["facts"]
        body = {
            "amount": facts["amount"],
            "currency": facts["currency"],
            "due_date": facts["due_date"],
            "buyer_reference": f"AP-{secrets.token_hex(5)}",
        }
        return self.stage.send("buyer", "approver", f"/v1/invoices/{self.invoice_id}/approval", body)

    def found_by_rules(self) -> list[JSON]:
        """What each verifier has attested of the invoice by the public rules."""
        document = self.stage.client("financier", "auditor").get(f"/v1/documents/{self.documents['invoice']}")
        return [{"party": said["party"], **said["rules"]} for said in document["attestations"] if said["rules"]]

    def matched(self) -> JSON:
        """The three-way match, as the financier's node shows it."""
        match: JSON = self.stage.client("financier", "auditor").get(f"/v1/invoices/{self.invoice_id}/match")
        return match

    def acknowledge(self) -> JSON:
        """The buyer acknowledges that it owes the financier now."""
        return self.stage.send("buyer", "approver", f"/v1/invoices/{self.invoice_id}/assignment-acknowledgement", {})

    def settle(self, deposit: str) -> JSON:
        """The buyer pays the holder."""
        body = {"amount": self.shown("buyer")["face"], "deposit": deposit}
        return self.stage.send("buyer", "approver", f"/v1/invoices/{self.invoice_id}/settlement", body)

    def shown(self, organisation: str) -> JSON:
        """The invoice as that organisation's node shows it now, with timeline and classes."""
        client = self.stage.client(organisation, "auditor")
        shown: JSON = client.get(f"/v1/invoices/{self.invoice_id}", block_number_min=self.stage.block_number)
        return shown

    def await_shown(self, organisation: str, what: str, holds: Callable[[JSON], bool]) -> JSON:
        """Ask that node until `holds(invoice)`.

        Raises: NodeError naming `what` when it does not come about in time.
        """
        client = self.stage.client(organisation, "auditor")
        invoice: JSON = {}

        def shows() -> bool:
            nonlocal invoice
            invoice = client.get(f"/v1/invoices/{self.invoice_id}", missing_ok=True) or {}
            return bool(invoice) and holds(invoice)

        try:
            await_true(f"{self.label}: {what} at the node of the {organisation}", shows, lambda: invoice)
        except NodeError as error:
            classes = [f"{part['class']} {part['verdict']} {part['reason']}" for part in invoice.get("classes", [])]
            raise NodeError(f"{error.text}; status {invoice.get('status')}; {', '.join(classes)}") from error
        return invoice

    def await_status(self, status: str) -> JSON:
        """Wait until all four nodes show that status; returns the supplier's view."""
        shown = {
            name: self.await_shown(name, status, lambda found: found["status"] == status) for name in self.stage.nodes
        }
        return shown["supplier"]

    def await_evidence(self) -> None:
        """Wait until the buyer's and the financier's verifiers have judged every document."""
        for name in ("INTEGRITY", "AMOUNT", "DELIVERY", "UNIQUE"):
            self.await_shown("financier", f"{name} judged", lambda found, name=name: judged(found, name))  # type: ignore[misc]


def judged(invoice: JSON, name: str) -> bool:
    """Whether a class no longer waits for attestations (the buyer's approval may still be missing)."""
    answers = [each for each in invoice["classes"] if each["class"] == name]
    return any(each["verdict"] != "INDETERMINATE" or each["reason"] == "NOT_APPROVED" for each in answers)


def decided(invoice: JSON) -> bool:
    """Whether the ledger has answered, and no class waits for anything."""
    return bool(invoice["classes"]) and all(each["verdict"] != "INDETERMINATE" for each in invoice["classes"])
