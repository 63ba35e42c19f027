"""A command that the contract does not have, as somebody would add it: RemindBuyer, with a rule and a field of its own.

Each row is a file, the line before which the text goes, and the text.
"""

from __future__ import annotations

FIELD = [
    (
        "chaincode/records/invoices.py",
        "@dataclass(frozen=True, slots=True)\nclass Invoice:",
        '''def _invoice_before_reminders(old: dict[str, Any]) -> dict[str, Any]:
    """Before, nobody reminded a buyer."""
    return old | {"reminded_on": ""}


''',
    ),
    (
        "chaincode/records/invoices.py",
        "    )\n\n    invoice_id: Id\n    supplier: Msp",
        "        _invoice_before_reminders,\n",
    ),
    (
        "chaincode/records/invoices.py",
        '\n    @property\n    def amount_due_minor(self) -> int:\n        """What the supplier claims',
        '    reminded_on: DateOrNone = ""\n',
    ),
]

COMMAND = [
    (
        "chaincode/records/bodies/invoices.py",
        "@dataclass(frozen=True, slots=True)\nclass SettleInvoice:",
        '''@dataclass(frozen=True, slots=True)
class RemindBuyer:
    """Remind the buyer of what is due."""

    invoice_id: Id


''',
    ),
    (
        "chaincode/records/bodies/__init__.py",
        "    ReportMisdirectedPayment as ReportMisdirectedPayment,\n",
        "    RemindBuyer as RemindBuyer,\n",
    ),
    (
        "chaincode/rules/invoices.py",
        "def acknowledge(invoice: Invoice, sender: str, day: str) -> Invoice:",
        '''def remind(invoice: Invoice, sender: str, day: str) -> Invoice:
    """Remind the buyer, as its supplier, of what is approved and not paid."""
    if sender != invoice.supplier:
        raise Refusal(RefusalCode.NOT_THE_SUPPLIER, "only the supplier reminds the buyer")
    return replace(invoice, reminded_on=day)


''',
    ),
    (
        "chaincode/commands/invoices.py",
        "async def acknowledge_assignment(",
        '''async def remind_buyer(context: Context, body: bodies.RemindBuyer) -> Result:
    """Remind the buyer of what is due."""
    invoice = invoices.remind(await context.invoice(body.invoice_id), context.sender, context.day)
    context.write(keys.invoice(body.invoice_id), invoice)
    return {"invoice_id": body.invoice_id}


''',
    ),
    (
        "chaincode/contract.py",
        '    "AcknowledgeAssignment": CommandType(',
        '    "RemindBuyer": CommandType(bodies.RemindBuyer, invoices.remind_buyer, "supplier"),\n',
    ),
    (
        "ledger_node/operations/invoices.py",
        '    Operation(\n        command="DisputeInvoice",',
        """    Operation(
        command="RemindBuyer",
        address=f"{INVOICE}/reminder",
        roles=(UPLOADER,),
        text="Remind the buyer of what is due, as the supplier.",
        tag="Invoices",
        prompt="invoice remind-buyer",
        record="invoice_id",
        resource=INVOICE,
    ),
""",
    ),
    (
        "ledger_node/readmodel/words.py",
        '    _new("overdue_since", "marked overdue"),\n',
        '    _new("reminded_on", "buyer reminded"),\n',
    ),
    (
        "docs/reference/commands.md",
        "### AcknowledgeAssignment\n",
        "### RemindBuyer\n\nThe supplier reminds the buyer.\n\n",
    ),
]
