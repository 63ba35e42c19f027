"""For whom an invoice waits, since when, and what is expected on which day: read off what the contract says of it.

Nothing is decided here: the reasons are those of the contract's own release check, and of the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger_node.api.context import current_node
from ledger_node.api.shape import shaped
from ledger_node.api.wire import Plain

BEFORE_FUNDING = ("registered", "approved", "disputed")
OWED = ("approved", "early-paid", "overdue")


def waits_of_invoices(invoices: Sequence[Plain], shown: Sequence[Plain]) -> list[Plain]:
    """Invoices as they are shown, each with whom it waits for and what is expected.

    The contract's release check is asked of the read model, for all of them together: as new as the list itself.

    Args:
        invoices: as the read model gives them.
        shown: the same, as the API shows them.
    """
    readmodel = current_node().readmodel
    before = [each["invoice_id"] for each in invoices if each["status"] in BEFORE_FUNDING]
    checks, day = readmodel.release_checks(before), readmodel.day()
    said = []
    for invoice, since in zip(shown, readmodel.last_touched("invoice", invoices), strict=True):
        release = checks.get(invoice["invoice_id"], {"classes": [], "quote": None})
        release = release | {"quote": release["quote"] and shaped(release["quote"], invoice["currency"])}
        said.append({**invoice, "waits": waits(invoice, release, since), "expected": expected(invoice, release, day)})
    return said


def waits(invoice: Plain, release: Plain, since: str) -> list[dict[str, Any]]:
    """For whom it waits, once for each of them; for what nobody can change it waits for nobody.

    Args:
        invoice: as the API shows it.
        release: its `classes` by the contract's release check; none where the ledger could not be asked.
        since: when something last happened to it, RFC 3339.
    """
    open_reasons: dict[str, dict[str, None]] = {}  # each reason once, though several classes have it
    if invoice["status"] in BEFORE_FUNDING:
        for each in release["classes"]:
            # What nobody can mend is no wait: a part was paid, say, and the whole is never paid early any more.
            if each["verdict"] != "VALID" and each["who"]:
                open_reasons.setdefault(each["who"], {})[each["reason"]] = None
    if invoice["notice"] and not invoice["notice"]["acknowledged_on"]:
        open_reasons.setdefault(invoice["buyer"], {})["ACKNOWLEDGEMENT_MISSING"] = None
    if invoice["status"] in OWED:
        due = "OVERDUE" if invoice["status"] == "overdue" else "NOT_DUE_YET"
        open_reasons.setdefault(invoice["buyer"], {})[due] = None
    return [{"for": who, "reasons": list(reasons), "since": since} for who, reasons in open_reasons.items()]


def expected(invoice: Plain, release: Plain, day: str) -> dict[str, str] | None:
    """The next payment that is to be expected: `{what, to, day, amount}`; None when there is none.

    Evidence that speaks against an invoice keeps it from being paid early, whatever its price would be.

    Args:
        invoice: as the API shows it.
        release: its `classes` and its `quote` by the contract's release check.
        day: the ledger's.
    """
    is_refuted = any(each["verdict"] == "INVALID" for each in release["classes"])
    if invoice["status"] in BEFORE_FUNDING and release["quote"] and not is_refuted:
        return {"what": "early payment", "to": invoice["supplier"], "day": day, "amount": release["quote"]["net"]}
    if invoice["status"] in OWED:
        due = invoice["extended_due_date"] or invoice["due_date"]
        return {"what": "settlement", "to": invoice["holder"], "day": due, "amount": invoice["open_face"]}
    return None
