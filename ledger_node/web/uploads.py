"""Handing in an invoice: files are dropped, read at once and kept as documents; then one button does the rest.

Each step is one write under a key made from the form's, so that a form sent again goes on where it stopped. What the
files say is read by the same function that registers it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.datastructures import FileStorage

from chaincode.money import Money
from ledger_node.api.context import current_node
from ledger_node.formats import FormatError, InvoiceFacts, read_facts
from ledger_node.formats.sniff import HEAD_BYTES, JSON, PDF, XML, sniff
from ledger_node.web.asking import Plain, Refused, ask, fresh_key, send, upload
from ledger_node.web.guard import Answered, only, takes_files
from ledger_node.web.marks import gettext
from ledger_node.web.texts import page, read_amount

routes = Blueprint("uploads", __name__)

FILES_MAX = 20
KINDS_TRIED = {XML: ("invoice",), PDF: ("invoice", "proof_of_delivery"), JSON: ("transport_events",)}
UPLOADER = ("uploader",)


@routes.get("/invoices/new")
@only("uploader")
def show() -> Answered:
    """The form for files, and for whom they are."""
    return _choose({}, [], 200)


@routes.post("/invoices/new")
@only("uploader")
@takes_files
def take() -> Answered:
    """Read each file, and keep those that can be read."""
    buyer, carrier = request.form.get("buyer", ""), request.form.get("carrier", "")
    key = request.form.get("key", "")
    files = [each for each in request.files.getlist("files") if each.filename][:FILES_MAX]
    # Who may read a document is said when it is kept: none is kept for nobody, nor for somebody chosen by mistake.
    before, faults = request.form.getlist("document"), []
    kept = before if request.form.get("kept_for") == f"{buyer} {carrier}" else []
    for place, file in enumerate(files if buyer else ()):
        try:
            kept.append(_keep(file, buyer, carrier, f"{key}-{place}"))
        except (FormatError, Refused) as error:
            faults.append({"file": file.filename, "text": error.text, "remedy": error.remedy})
    if not buyer or faults or not kept:
        if not buyer:
            faults.append({"file": "", "text": gettext("Choose the buyer."), "remedy": ""})
        elif before and not kept and not files:
            text = gettext("The files were kept for others. Choose them again.")
            faults.append({"file": "", "text": text, "remedy": ""})
        elif not kept and not files:
            faults.append({"file": "", "text": gettext("Choose at least the invoice."), "remedy": ""})
        return _choose({"buyer": buyer, "carrier": carrier, "documents": kept}, faults, 400)
    return redirect(url_for("uploads.review", buyer=buyer, carrier=carrier, document=kept, key=fresh_key()))


@routes.get("/invoices/review")
@only("uploader")
def review() -> Answered:
    """What the files say, and what goes on the ledger."""
    return _review(request.args, None), 200


@routes.post("/invoices/review")
@only("uploader")
def hand_in() -> Answered:
    """Shipment, invoice, and the request for early payment: one button."""
    form, key = request.form, request.form.get("key", "")
    read = _read_all(form.getlist("document"))
    invoice = next((each for each in read if each["kind"] == "invoice"), None)
    digits = 2 if invoice is None else Money(0, invoice["facts"].currency).exponent
    net = read_amount(form.get("net_min", ""), digits) if form.getlist("facility_ids") else ""
    if invoice is None or net is None:
        fault = (
            gettext("There is no invoice among the files.")
            if invoice is None
            else gettext("The least amount is no amount.")
        )
        return _review(form, Refused(400, {"detail": fault})), 400
    try:
        shipments = _shipments(form, key)
        body = {
            "document_id": invoice["document_id"],
            "proof_ids": [
                each["document_id"] for each in read if each["kind"] in ("proof_of_delivery", "transport_events")
            ],
            "shipment_ids": shipments,
            "buyer": form["buyer"],
        }
        if form.get("stated_due_date"):
            body["stated_due_date"] = form["stated_due_date"]
        made = send("/v1/invoices", UPLOADER, body, f"{key}-invoice")
        if form.getlist("facility_ids"):
            asked = {
                "facility_ids": form.getlist("facility_ids"),
                "net_min": net,
                "valid_until": form.get("valid_until", ""),
            }
            send(f"/v1/invoices/{made['record_id']}/early-payment-request", UPLOADER, asked, f"{key}-request")
    except Refused as refused:
        return _review(form, refused), refused.status
    if made["status"] != "applied":
        return redirect(url_for("acts.submission", submission_id=made["id"]))
    return redirect(url_for("invoices.show", record_id=made["record_id"]))


def _shipments(form: Any, key: str) -> list[str]:
    """The shipment that the invoice rests on: the one of that reference, or a new one."""
    reference = form.get("reference", "").strip()
    if not reference:
        return []
    known = ask("/v1/shipments", q=reference, supplier=current_node().msp_id, per_page=200)["items"]
    same = [each["shipment_id"] for each in known if each["names"].get("reference") == reference]
    if same:
        return same[:1]
    body = {"buyer": form["buyer"], "carrier": form.get("carrier", ""), "reference": reference}
    return [str(send("/v1/shipments", UPLOADER, body, f"{key}-shipment")["record_id"])]


def _keep(file: FileStorage, buyer: str, carrier: str, key: str) -> str:
    """Keep a file as the document that it can be read as. Raises: FormatError, Refused."""
    kind, media_type = _kind_of(file)
    file.stream.seek(0)
    entitled = {buyer, *_financiers(buyer)} | ({carrier} if kind != "invoice" else set())
    part = FileStorage(file.stream, file.filename, content_type=media_type)
    form = {"kind": kind, "entitled": ",".join(sorted(entitled - {""})), "file": part}
    return str(upload("/v1/documents", UPLOADER, form, key)["record_id"])


def _kind_of(file: FileStorage) -> tuple[str, str]:
    """What a file can be read as: the first kind of its format that fits. Raises: FormatError of the first one."""
    path = Path(f"/proc/self/fd/{file.stream.fileno()}")
    file.stream.flush()
    file.stream.seek(0)
    media_type = sniff(file.stream.read(HEAD_BYTES))
    first: FormatError | None = None
    for kind in KINDS_TRIED.get(media_type, ("invoice",)):
        try:
            read_facts(kind, media_type, path)
        except FormatError as error:
            first = first or error
        else:
            return kind, media_type
    assert first is not None, "at least one kind was tried"
    raise first


def _financiers(buyer: str) -> set[str]:
    """Who might pay early: the financiers with an open facility on the buyer for us."""
    return {each["financier"] for each in facilities_for(buyer)}


def facilities_for(buyer: str) -> list[Plain]:
    """Open facilities on a buyer that take our invoices."""
    own = current_node().msp_id
    found: list[Plain] = ask("/v1/facilities")["items"]
    return [each for each in found if each["buyer"] == buyer and own in each["suppliers"] and each["status"] == "open"]


def _read_all(document_ids: list[str]) -> list[Plain]:
    """What each kept file says, read from the vault."""
    node, read = current_node(), []
    for document_id in document_ids[:FILES_MAX]:
        own = node.documents.get(document_id)
        if own is not None:
            facts = read_facts(own.kind, own.media_type, node.vault.path(own.digest))
            read.append({"document_id": document_id, "kind": own.kind, "file": own.filename, "facts": facts})
    return read


def _choose(given: Plain, faults: list[Plain], status: int) -> tuple[str, int]:
    parties = ask("/v1/parties")["items"]
    by_role = {role: [each for each in parties if role in each["roles"]] for role in ("buyer", "carrier")}
    kept = _read_all(given.get("documents", []))
    return page("new_invoice.html", given=given, kept=kept, faults=faults, key=fresh_key(), **by_role), status


def _review(given: Any, refused: Refused | None) -> str:
    read = _read_all(given.getlist("document"))
    facts = next((each["facts"] for each in read if isinstance(each["facts"], InvoiceFacts)), None)
    reference = given.get("reference", "")
    if "reference" not in given and facts is not None and facts.shipment_references:
        reference = facts.shipment_references[0]
    amount = "" if facts is None else Money(facts.amount_minor, facts.currency).decimal()
    shown = {"facts": facts, "facilities": facilities_for(given.get("buyer", "")), "refused": refused}
    return page("review.html", given=given, read=read, reference=reference, amount=amount, **shown)
