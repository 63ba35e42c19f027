"""Handing in an invoice: files are dropped, read at once and kept as documents; then one button does the rest.

Each step is one write under a key made from the form's, so that a form sent again goes on where it stopped. What the
files say is read by the same function that registers it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.datastructures import FileStorage

from chaincode.money import Money
from ledger_node.api.context import current_node
from ledger_node.formats import FormatError, InvoiceFacts, read_facts
from ledger_node.formats.sniff import HEAD_BYTES, JSON, PDF, XML, sniff
from ledger_node.web.asking import Plain, Refused, ask, fresh_key, is_over, send, upload
from ledger_node.web.guard import Answered, only, takes_files
from ledger_node.web.marks import gettext
from ledger_node.web.texts import page, read_amount
from ledger_node.web.typed import fills, is_again

routes = Blueprint("uploads", __name__)

FILES_MAX = 20
KINDS_TRIED = {XML: ("invoice", "transport_events"), PDF: ("invoice", "proof_of_delivery"), JSON: ("transport_events",)}
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
    return _review(request.args, None, request.args.get("key") or fresh_key()), 200


@routes.post("/invoices/review")
@only("uploader")
@fills
def hand_in() -> Answered:
    """Shipment, invoice, and the request for early payment: one button."""
    form, key = request.form, request.form.get("key", "")
    if is_again():
        return _review(form, None, key or fresh_key()), 200
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
        return _review(form, Refused(400, {"detail": fault}), key), 400
    made: Plain = {}
    asked = {"facility_ids": form.getlist("facility_ids"), "net_min": net, "valid_until": form.get("valid_until", "")}
    try:
        body = _invoice(form, read, key)
        made = send("/v1/invoices", UPLOADER, body, key_of(key, body))
        if asked["facility_ids"]:
            send(f"/v1/invoices/{made['record_id']}/early-payment-request", UPLOADER, asked, key_of(key, asked))
    except Refused as refused:
        if made.get("status") == "applied" and is_over(refused):  # only the request is to be corrected
            flash(
                gettext("The invoice is registered. Its early payment is not asked for yet: %(why)s", why=refused.text),
                "bad",
            )
            given = {**asked, "invoice_id": made["record_id"]}
            return redirect(url_for("acts.show", name="request_early_payment", **given))
        return _review(form, refused, fresh_key() if is_over(refused) and not made else key), refused.status
    if made["status"] != "applied":
        return redirect(url_for("acts.submission", submission_id=made["id"]))
    return redirect(url_for("invoices.show", record_id=made["record_id"]))


def _invoice(form: Any, read: list[Plain], key: str) -> Plain:
    """What registers the invoice among the files, with its shipment. Raises: Refused."""
    proofs = ("proof_of_delivery", "transport_events")
    body = {
        "document_id": next(each["document_id"] for each in read if each["kind"] == "invoice"),
        "proof_ids": [each["document_id"] for each in read if each["kind"] in proofs],
        "shipment_ids": _shipments(form, key),
        "buyer": form.get("buyer", ""),
    }
    return body | ({"stated_due_date": form["stated_due_date"]} if form.get("stated_due_date") else {})


def _shipments(form: Any, key: str) -> list[str]:
    """The shipment that the invoice rests on: the one of that reference, or a new one."""
    reference = form.get("reference", "").strip()
    if not reference:
        return []
    known = ask("/v1/shipments", q=reference, supplier=current_node().msp_id, per_page=200)["items"]
    same = [each["shipment_id"] for each in known if each["names"].get("reference") == reference]
    if same:
        return same[:1]
    body = {"buyer": form.get("buyer", ""), "carrier": form.get("carrier", ""), "reference": reference}
    return [str(send("/v1/shipments", UPLOADER, body, key_of(key, body))["record_id"])]


def key_of(form_key: str, body: Plain) -> str:
    """The key of a step: the same form with the same content goes on, a corrected one is another command."""
    content = json.dumps([form_key, body], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


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


def _review(given: Any, refused: Refused | None, key: str) -> str:
    read = _read_all(given.getlist("document"))
    facts = next((each["facts"] for each in read if isinstance(each["facts"], InvoiceFacts)), None)
    reference = given.get("reference", "")
    if "reference" not in given and facts is not None and facts.shipment_references:
        reference = facts.shipment_references[0]
    amount = "" if facts is None else Money(facts.amount_minor, facts.currency).decimal()
    shown = {"facts": facts, "facilities": facilities_for(given.get("buyer", "")), "refused": refused, "key": key}
    return page("review.html", given=given, read=read, reference=reference, amount=amount, **shown)
