"""Documents: uploaded once, read before they are kept, hashed while they are stored, registered by commitment.

An upload goes: spooled to a nameless file, read as what it claims to be, moved into the vault, and then its index
row and its command are stored in one SQL transaction. A kill before that transaction leaves a file in the vault that
nothing names; it is harmless, since the vault is addressed by content and the repeated upload takes the same place.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Set as AbstractSet
from pathlib import Path

from apiflask import APIBlueprint
from flask import Response, request, send_file
from werkzeug.datastructures import FileStorage

from ledger_node.api.answers import existing, listed, reads
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.naming import names_of, record_id, with_names
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.problem import Problem
from ledger_node.api.records import DocumentOut
from ledger_node.api.rules import rule_notes
from ledger_node.api.shape import written
from ledger_node.api.wire import Plain
from ledger_node.api.writes import Answer, fresh_id, outbox_key, submit, writes
from ledger_node.config import MSP_ID
from ledger_node.documents.index import OwnDocument
from ledger_node.documents.spool import SpooledDocument
from ledger_node.formats import DOCUMENT_KINDS, LEDGER_KINDS, Facts, InvoiceFacts, read_facts
from ledger_node.formats.ledger_facts import lacking
from ledger_node.formats.sniff import HEAD_BYTES, sniff
from ledger_node.hashing import SALT_BYTES
from ledger_node.outbox.store import IdempotencyConflict
from ledger_node.people.document_names import FILE, own_names, shipment_names

routes = APIBlueprint("documents", __name__, tag="Documents")

FILENAME_CHARACTERS_MAX = 200
ENTITLED_MAX = 20
_MSP = re.compile(MSP_ID, re.ASCII)


@routes.post("/v1/documents")
@writes(routes, "uploader", None)
def upload_document() -> Answer:
    """Upload a document: a form with `file`, `kind` and `entitled` (MSP ids, repeated or with commas).

    The part's media type must be that of its content. `notes` say what the file lacks and registering it has to state,
    and which public rules an invoice breaks.
    The same file uploaded again, under another key, is another document; `same_content` names those that there were.
    """
    kind, entitled, file = _form()
    return keep(kind, entitled, file)


def keep(kind: str, entitled: list[str], file: FileStorage, step: str = "") -> Answer:
    """Read a file as its kind, keep it and queue its registration.

    Args:
        kind: of DOCUMENT_KINDS.
        entitled: MSP ids, sorted.
        step: as in `submit`.

    Raises: FormatError; Problem.
    """
    document_id = fresh_id("document")
    media_type, facts, notes = _read(kind, file)
    _require_same(document_id, file, step)
    assert isinstance(file.stream, SpooledDocument)  # StrictRequest spools where the vault keeps
    stored = current_node().vault.keep(file.stream)
    document = OwnDocument(
        document_id=document_id,
        digest=stored.digest,
        salt=secrets.token_bytes(SALT_BYTES),
        size_bytes=stored.size_bytes,
        media_type=media_type,
        kind=kind,
        filename=Path(file.filename or "").name[:FILENAME_CHARACTERS_MAX],
    )
    content, status, headers = _register(document, entitled, facts, step)
    same = current_node().documents.with_content(stored.digest)
    return {**content, "notes": notes, "same_content": [each for each in same if each != document_id]}, status, headers


@reads(routes, "/v1/documents/<document_id>", DocumentOut)
def show_document(document_id: str) -> Plain:
    """A document, what was attested of it, and the file's digest and name when it is an own one."""
    node = current_node()
    found = existing(node.readmodel.document(document_id), "document", document_id)
    (record,) = with_names("document", [found], [written(found)])
    own = node.documents.get(document_id)
    shown = None if own is None else {"digest": own.digest.hex(), "filename": own.filename}
    return {**record, "attestations": listed(node.readmodel.attestations(document_id))["items"], "own": shown}


@routes.get("/v1/documents/<document_id>/content")
@routes.auth_required(bearer)
@routes.doc(responses={200: "The file.", 403: "It is not this organisation's.", 502: "Its submitter gave another one."})
def fetch_document(document_id: str) -> Response:
    """The file of a document that this organisation submitted, or is entitled to.

    Another organisation's is fetched from its node, hashed, and shown only if it is what the ledger commits to; it is
    kept for a while and hashed anew each time. 503 `DOCUMENT_UNAVAILABLE` while the other node does not give it.
    """
    await_own_writes()
    node, document_id = current_node(), record_id("document", document_id)
    own = node.documents.get(document_id)
    if own is not None:
        name = own.filename or document_id
        stream = node.vault.open(own.digest)
        return send_file(stream, own.media_type, as_attachment=True, download_name=name, etag=own.digest.hex())
    record = existing(node.readmodel.document(document_id), "document", document_id)
    if node.msp_id not in record["entitled"]:
        text = f"this organisation is not entitled to the document {document_id}"
        raise Problem(403, "NOT_YOUR_DOCUMENT", text, "Ask the organisation that submitted it.")
    stream = node.reader.open(record)
    (named,) = names_of("document", [record])
    answer = send_file(stream, record["media_type"], as_attachment=True, download_name=named.get(FILE) or document_id)
    answer.content_length = os.fstat(stream.fileno()).st_size
    return answer


def _read(kind: str, file: FileStorage) -> tuple[str, Facts, list[str]]:
    """The media type that the content has, what it says, read as its kind, and what has to be stated of it besides.

    Raises: FormatError.
    """
    path = spooled(file)
    facts = read_facts(kind, file.mimetype or "", path)
    file.stream.seek(0)
    media_type = sniff(file.stream.read(HEAD_BYTES))
    return media_type, facts, [*lacking(facts), *rule_notes(path)] if isinstance(facts, InvoiceFacts) else []


def spooled(file: FileStorage) -> Path:
    """Where the content of an upload can be read while the request lasts."""
    return Path(f"/proc/self/fd/{file.stream.fileno()}")


def _require_same(document_id: str, file: FileStorage, step: str) -> None:
    """A repeated upload must be the same file of the same request; told before anything else is stored."""
    earlier = current_node().documents.get(document_id)
    if earlier is not None and step and current_node().outbox.by_idempotency_key(outbox_key(step)) is None:
        text = f"this idempotency key was used before for another request, which uploaded the document {document_id}"
        raise IdempotencyConflict(text, "Register that document, or use a fresh key.")
    if earlier is not None:
        file.stream.seek(0)
        if hashlib.file_digest(file.stream, "sha256").digest() != earlier.digest:  # type: ignore[arg-type]
            raise IdempotencyConflict("this idempotency key was used before for another file", "Use a fresh key.")
    file.stream.seek(0)


def _register(document: OwnDocument, entitled: list[str], facts: Facts, step: str) -> Answer:
    node = current_node()
    own = own_names(document.document_id, facts, document.filename)
    involved = {"submitter": node.msp_id, "entitled": entitled}
    of_shipments = shipment_names(node.fingerprint_key, node.readmodel.parties(), involved, facts)
    beside = (
        node.documents.insertion(document),
        *node.names.insertion(own),
        *node.names.insertion(list(of_shipments), keep=True),
    )
    command = {
        "document_id": document.document_id,
        "kind": LEDGER_KINDS[document.kind],
        "media_type": document.media_type,
        "size_bytes": document.size_bytes,
        "algorithm": "SHA-256",
        "commitment": document.commitment,
        "entitled": entitled,
    }
    # The salt is fresh at every try, so what makes two uploads the same request is the content without it.
    asked = command | {"commitment": document.digest.hex()}
    return submit(
        "RegisterDocument",
        command,
        asked=asked,
        resource=f"/v1/documents/{document.document_id}",
        record_id=document.document_id,
        created=True,
        beside=beside,
        step=step,
    )


def _form() -> tuple[str, list[str], FileStorage]:
    """Kind, sorted entitled parties and file of the form."""
    form, file = read_form({"kind"})
    if form.get("kind") not in DOCUMENT_KINDS:
        raise Problem(400, "INVALID_INPUT", "kind is missing or unknown", f"Send one of: {', '.join(DOCUMENT_KINDS)}.")
    return form["kind"], entitled_of(request.form.getlist("entitled")), file


def read_form(known: AbstractSet[str], lists: AbstractSet[str] = frozenset()) -> tuple[dict[str, str], FileStorage]:
    """The fields of a form that have one value, and its file.

    Args:
        known: fields that it may have, each once, besides `file` and `entitled`.
        lists: those that may be repeated.

    Raises: Problem 400 or 415.
    """
    if request.mimetype != "multipart/form-data":
        text = f"an upload is multipart/form-data, not {request.mimetype or 'without a media type'}"
        raise Problem(415, "MEDIA_TYPE", text, f"Send a form with the fields {', '.join(['file', *sorted(known)])}.")
    unknown = sorted((set(request.form) - known - lists - {"entitled"}) | (set(request.files) - {"file"}))
    if unknown:
        raise Problem(400, "INVALID_INPUT", f"the form has an unknown field {unknown[0]!r}", "Leave it out.")
    files = request.files.getlist("file")
    if len(files) != 1:
        raise Problem(400, "INVALID_INPUT", f"the form has {len(files)} files named 'file', not one", "Send one file.")
    twice = sorted(name for name in known if len(request.form.getlist(name)) > 1)
    if twice:
        raise Problem(400, "INVALID_INPUT", f"the form has the field {twice[0]!r} more than once", "Send it once.")
    return {name: request.form[name] for name in known if name in request.form}, files[0]


def entitled_of(fields: list[str]) -> list[str]:
    """Parties that are named in fields of a form, sorted. Raises: Problem 400."""
    named = sorted({name.strip() for field in fields for name in field.split(",")} - {""})
    if not 1 <= len(named) <= ENTITLED_MAX or not all(_MSP.fullmatch(name) for name in named):
        text = f"entitled names {len(named)} parties, or something that is no MSP id"
        raise Problem(400, "INVALID_INPUT", text, f"Name 1 to {ENTITLED_MAX} parties that may fetch and attest it.")
    return named
