"""PDF files: proofs of delivery, and hybrid invoices (Factur-X, ZUGFeRD) with the XML inside.

Only the container is read; what a page shows to the eye is evidence for people and never becomes a fact.
Source: ISO 32000-1, Factur-X 1.07 section 6 (names of the embedded file).
"""

from __future__ import annotations

import io
import logging

from pypdf import PasswordType, PdfReader

from ledger_node.formats.facts import FormatCode, FormatError, PdfFacts

INVOICE_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
# pypdf reports oddities of a file that it can read; they are no concern of the node's log.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read_pdf(content: bytes) -> PdfFacts:
    """What can be said of a PDF: it opens without a password and has at least one page.

    Args:
        content: the whole file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    reader = _open(content)
    try:
        page_count = len(reader.pages)
        for page in reader.pages:
            page.mediabox  # noqa: B018  reading it proves that the page is there
    except Exception as error:
        raise _not_a_pdf(error) from error
    if page_count == 0:
        raise FormatError(FormatCode.NOT_A_PDF, "the PDF has no page", "print or export it again")
    return PdfFacts(page_count=page_count)


def invoice_inside(content: bytes) -> bytes:
    """The XML invoice embedded in a hybrid PDF.

    Args:
        content: the whole PDF.

    Returns: the embedded file.

    Raises: FormatError when there is none, or several that differ, so that nobody can choose.
    """
    read_pdf(content)
    try:
        files = _open(content).attachment_list
        invoices = list({bytes(file.content) for file in files if file.name.lower() in INVOICE_NAMES})
    except Exception as error:
        raise _not_a_pdf(error) from error
    if len(invoices) != 1:
        raise FormatError(
            FormatCode.AMBIGUOUS if invoices else FormatCode.NO_INVOICE_INSIDE,
            f"the PDF holds {len(invoices)} embedded XML invoices instead of one",
            "send a Factur-X or ZUGFeRD PDF, or the XML invoice itself",
        )
    return invoices[0]


def _open(content: bytes) -> PdfReader:
    """A reader of a PDF that opens for everybody: one with an owner's password only restricts what may be done with it.

    ISO 32000-1 section 7.6.4.1: a reader tries the empty user password first.
    """
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        closed = reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED
    except Exception as error:
        raise _not_a_pdf(error) from error
    if closed:
        raise FormatError(FormatCode.ENCRYPTED, "the PDF does not open without a password", "send it without password")
    return reader


def _not_a_pdf(error: Exception) -> FormatError:
    return FormatError(FormatCode.NOT_A_PDF, f"the PDF cannot be read: {str(error)[:200]}", "print or export it again")
