"""From what people typed to the file of an invoice: read strictly, written in one of three forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from ledger_node.errors import BadRequest
from ledger_node.faults import faults
from ledger_node.formats.facts import FormatError
from ledger_node.formats.strict_json import load_json
from ledger_node.issuing.draft import InvoiceDraft
from ledger_node.issuing.page import write_pdf
from ledger_node.issuing.xml import write_xml
from network.faults import described

Form = Literal["ubl", "cii", "factur-x"]
FORMS: tuple[Form, ...] = get_args(Form)
MEDIA_TYPES = {"ubl": "application/xml", "cii": "application/xml", "factur-x": "application/pdf"}


def facts_of(text: bytes, name: str) -> dict[str, Any]:
    """What a JSON file holds.

    Raises: BadRequest.
    """
    try:
        found = load_json(text)
    except FormatError as error:
        raise BadRequest(f"{name}: {error.text}", error.remedy) from error
    if not isinstance(found, dict):
        raise BadRequest(f"{name} holds no object", "Begin from: ledger-node invoice create --example")
    return found


def draft_of(facts: dict[str, Any], name: str) -> InvoiceDraft:
    """The facts, checked.

    Args:
        name: of what they come from, for the error.

    Raises: BadRequest that names each field and what it has to be.
    """
    try:
        return InvoiceDraft.model_validate(facts)
    except ValidationError as error:
        found = described(faults(error))
        raise BadRequest(f"{name}: {found}", "What may stand there: ledger-node invoice create --example") from error


def write(draft: InvoiceDraft, form: Form, font: Path | None = None) -> bytes:
    """The invoice as a file of that form.

    Raises: BadRequest, FormatError.
    """
    return write_pdf(draft, font) if form == "factur-x" else write_xml(draft, form)
