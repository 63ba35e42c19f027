"""The further steps of an invoice's life, for `ledger-node invoice`."""

from __future__ import annotations

import click

from ledger_node.cli.steps import AMOUNT, DEPOSIT, REASON, Option, Step

ONE = ("invoice_id",)
FACILITY = Option("facility_id", "Id of the facility.")

STEPS = (
    Step("dispute", "/v1/invoices/{invoice_id}/dispute", "Say, as the buyer, that it is not owed.", [REASON], ONE),
    Step(
        "resolve",
        "/v1/invoices/{invoice_id}/dispute-resolution",
        "End the own dispute, as the buyer.",
        [Option("outcome", "To be approved anew, or not owed at all.", click.Choice(["registered", "cancelled"]))],
        ONE,
    ),
    Step(
        "withdraw-approval",
        "/v1/invoices/{invoice_id}/approval-withdrawal",
        "Take the own approval back, as the buyer.",
        [REASON],
        ONE,
    ),
    Step("cancel", "/v1/invoices/{invoice_id}/cancellation", "Take it back, as the supplier.", [REASON], ONE),
    Step(
        "clear-duplicate",
        "/v1/invoices/{invoice_id}/duplicate-clearance",
        "Say, as the buyer, that it is no duplicate.",
        [REASON],
        ONE,
    ),
    Step(
        "credit-note",
        "/v1/invoices/{invoice_id}/credit-notes",
        "Credit a part of it, as the supplier.",
        [
            AMOUNT,
            Option("document_id", "Id of the uploaded credit note."),
            Option("shipment_ids", "A shipment in part that it makes good; repeat.", many=True, flag="--shipment"),
        ],
        ONE,
    ),
    Step(
        "pay-claim",
        "/v1/credit-notes/{credit_note_id}/payment",
        "Pay the buyer what a credit note after funding owes it, as the supplier.",
        [DEPOSIT],
        ("credit_note_id",),
    ),
    Step(
        "misdirected",
        "/v1/invoices/{invoice_id}/misdirected-payments",
        "Report that money for it went to somebody who is not its holder.",
        [AMOUNT],
        ONE,
    ),
    Step(
        "paid-outside",
        "/v1/invoices/{invoice_id}/payment-outside",
        "Confirm, as the holder, that it was paid outside the ledger.",
        [AMOUNT, REASON],
        ONE,
    ),
    Step(
        "offer-discount",
        "/v1/invoices/{invoice_id}/discount-offer",
        "Offer the buyer a discount for paying early, as the supplier.",
        [Option("rate_bps", "Yearly rate in basis points.", int), Option("valid_until", "Last day, YYYY-MM-DD.")],
        ONE,
    ),
    Step(
        "pay-early",
        "/v1/invoices/{invoice_id}/early-settlement",
        "Pay at the discount that is offered, as the buyer.",
        [DEPOSIT],
        ONE,
    ),
    Step(
        "extend",
        "/v1/invoices/{invoice_id}/due-date",
        "Give the buyer more time, as the holder.",
        [Option("due_date", "The later due date, YYYY-MM-DD.")],
        ONE,
    ),
    Step(
        "write-off", "/v1/invoices/{invoice_id}/write-off", "Write off what is overdue, as the holder.", [AMOUNT], ONE
    ),
    Step(
        "recover",
        "/v1/invoices/{invoice_id}/recovery",
        "Pay what was written off, as the buyer.",
        [AMOUNT, DEPOSIT],
        ONE,
    ),
    Step("repurchase", "/v1/invoices/{invoice_id}/repurchase", "Buy it back, as the supplier.", [DEPOSIT], ONE),
    Step(
        "unwind",
        "/v1/invoices/{invoice_id}/unwinding",
        "Consent to take the early payment back, as supplier or financier.",
        [],
        ONE,
    ),
    Step("post-funding", "/v1/invoices/{invoice_id}/funding-posting", "Pay what another person set aside.", [], ONE),
    Step("void-funding", "/v1/invoices/{invoice_id}/funding-voiding", "Take back what is set aside.", [], ONE),
    Step(
        "decline",
        "/v1/invoices/{invoice_id}/funding-refusal",
        "Say no to it, as the financier.",
        [FACILITY, REASON],
        ONE,
    ),
    Step(
        "mark-overdue",
        "/v1/overdue-checks",
        "Say that due dates have passed.",
        [Option("invoice_ids", "Id of an invoice; repeat.", many=True, flag="--invoice")],
    ),
    Step(
        "expire-funding",
        "/v1/funding-expiries",
        "Give back what was set aside and not paid in time.",
        [Option("invoice_ids", "Id of an invoice; repeat.", many=True, flag="--invoice")],
    ),
)
