"""An invoice's facts on a page that people read, with the same facts as CII inside: Factur-X, a PDF/A-3b.

Every font that shows anything is embedded, a colour profile is named, and no character is left out: what the font does
not have is refused. Source: Factur-X 1.07 section 6, ISO 19005-3 (PDF/A-3), ISO 32000-1.
"""

from __future__ import annotations

import functools
import io
import threading
from pathlib import Path

from ledger_node.errors import BadRequest
from ledger_node.issuing.draft import InvoiceDraft, TraderIn, reason_of
from ledger_node.issuing.sums import Sums, Taxed, sums
from ledger_node.issuing.xml import write_xml

FONT_FILE = "Vera.ttf"
"""Comes with reportlab; it has the letters of Western Europe."""
FONT = "InvoicePage"
_ONE_AT_A_TIME = threading.Lock()
"""reportlab knows fonts by name in the whole process."""
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
COLUMNS = ("No.", "What", "Quantity", "Unit", "Price", "VAT", "Amount")
WIDTHS = (26, 163, 52, 34, 58, 40, 66)


def write_pdf(draft: InvoiceDraft, font: Path | None = None) -> bytes:
    """The invoice as a Factur-X file of the profile EN 16931.

    Args:
        font: a TrueType font instead of the one that comes along.

    Raises: BadRequest where nothing is due, or a character is not in the font; FormatError as `write_xml`.
    """
    import facturx

    xml = write_xml(draft, "cii")
    with _ONE_AT_A_TIME:
        page = _with_colours(_page(draft, sums(draft), font))
    said = {"title": _head(draft)[0][0], "author": draft.seller.name, "subject": f"To {draft.buyer.name}"}
    content: bytes = facturx.generate_from_binary(
        page,
        xml,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        pdf_metadata=said,
        lang="en",
        afrelationship="alternative",
    )
    return _with_metadata_that_all_read(content)


def _page(draft: InvoiceDraft, computed: Sums, font: Path | None) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

    texts = [_head(draft), [[*_parties(draft)]], _lines(draft, computed), _amounts(draft, computed), [_foot(draft)]]
    name = _font(font, "".join(cell for part in texts for row in part for cell in row))
    plain = ParagraphStyle("plain", fontName=name, fontSize=8, leading=11)
    title = ParagraphStyle("title", parent=plain, fontSize=15, leading=22)

    def cells(rows: list[list[str]], style: ParagraphStyle = plain) -> list[list[Paragraph]]:
        return [[Paragraph(_markup(cell), style) for cell in row] for row in rows]

    head, parties, lines, amounts, foot = texts
    ruled = TableStyle([("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    story: list[Flowable] = [Paragraph(_markup(head[0][0]), title)]
    story += [Paragraph(_markup(line), plain) for line in head[1]]
    story += [Spacer(0, 12), LongTable(cells(parties), colWidths=(220, 219), splitInRow=1), Spacer(0, 12)]
    story += [LongTable(cells(lines), colWidths=WIDTHS, repeatRows=1, style=ruled), Spacer(0, 6)]
    story += [LongTable(cells(amounts), colWidths=(200, 90), hAlign="RIGHT"), Spacer(0, 12)]
    story += [Paragraph(_markup(line), plain) for line in foot[0]]
    file = io.BytesIO()
    document = SimpleDocTemplate(file, pagesize=A4, title=head[0][0], author=draft.seller.name)
    document.build(story, canvasmaker=functools.partial(Canvas, initialFontName=name))
    return file.getvalue()


def _font(path: Path | None, shown: str) -> str:
    """The font's name for the page, once it is known to have every character.

    Raises: BadRequest.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    try:
        font = TTFont(f"{FONT}-{path.stem}" if path else FONT, str(path or FONT_FILE))
    except (TTFError, OSError) as error:
        raise BadRequest(f"{path} is no TrueType font: {error}", "Name a .ttf file that may be embedded.") from error
    lacking = sorted({each for each in shown if ord(each) not in font.face.charToGlyph and not each.isspace()})
    if lacking:
        raise BadRequest(
            f"the page's font has no {' '.join(lacking[:10])}",
            "Name a TrueType font that has: --font FILE; or write XML, which needs none.",
        )
    pdfmetrics.registerFont(font)
    return str(font.fontName)


def _head(draft: InvoiceDraft) -> list[list[str]]:
    """The title, then what goes for all of it."""
    named = [
        ("Issued", draft.issue_date),
        ("Due", draft.due_date),
        ("Terms", draft.terms),
        ("Your order", draft.order_reference),
        ("Your reference", draft.buyer_reference),
        ("Despatch advice", draft.despatch_reference),
        ("Delivered", draft.delivered_on),
        ("Corrects or follows", ", ".join(each.number for each in draft.preceding)),
    ]
    title = f"{'Corrected invoice' if draft.type_code == '384' else 'Invoice'} {draft.number}"
    return [[title], [f"{what}: {text}" for what, text in named if text]]


def _parties(draft: InvoiceDraft) -> tuple[str, str]:
    return _party("From", draft.seller), _party("To", draft.buyer)


def _party(what: str, trader: TraderIn) -> str:
    place = " ".join(filter(None, (trader.postcode, trader.city)))
    ids = [("VAT", trader.vat_id), ("Id", trader.legal_id), ("GLN", trader.gln)]
    named = [f"{kind} {text}" for kind, text in ids if text]
    return "\n".join(filter(None, (f"{what}: {trader.name}", trader.street, place, trader.country, *named)))


def _lines(draft: InvoiceDraft, computed: Sums) -> list[list[str]]:
    rows = [list(COLUMNS)]
    for place, (line, net) in enumerate(zip(draft.lines, computed.lines, strict=True), 1):
        vat = f"{line.vat_rate} %" if line.vat_rate else line.vat_category
        rows.append([str(place), line.name, line.quantity, line.unit, line.price, vat, f"{net:f}"])
    return rows


def _amounts(draft: InvoiceDraft, computed: Sums) -> list[list[str]]:
    vat = [(_vat(draft, each), each.vat) for each in computed.taxed]
    paid = [("Paid before", computed.paid)] if computed.paid else []
    rows = [("Net", computed.net), *vat, ("Total", computed.gross), *paid, ("Amount due", computed.due)]
    return [[what, f"{amount:f} {draft.currency}"] for what, amount in rows]


def _vat(draft: InvoiceDraft, taxed: Taxed) -> str:
    """The rate, or why no VAT is charged."""
    reason = reason_of(draft, taxed.category)
    return f"VAT {taxed.rate or 0} %" + (f" ({reason})" if reason else "")


def _foot(draft: InvoiceDraft) -> list[str]:
    """How to pay, and the note."""
    paid_to = f"Please pay to {draft.account}" + (f", BIC {draft.bic}" if draft.bic else "")
    return [paid_to, draft.note] if draft.note else [paid_to]


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br/>")


def _with_colours(page: bytes) -> bytes:
    """With the colours named (sRGB) and an identifier, as PDF/A-3 asks for."""
    from PIL import ImageCms
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject
    from pypdf.generic import TextStringObject as Text

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(page)))
    profile = DecodedStreamObject()
    profile.set_data(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile.update({NameObject("/N"): NumberObject(3)})
    intent = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/OutputIntent"),
            NameObject("/S"): NameObject("/GTS_PDFA1"),
            NameObject("/OutputConditionIdentifier"): Text("sRGB"),
            NameObject("/Info"): Text("sRGB IEC61966-2.1"),
            NameObject("/DestOutputProfile"): writer._add_object(profile),
        }
    )
    writer._root_object[NameObject("/OutputIntents")] = ArrayObject([writer._add_object(intent)])
    writer.metadata = None  # of two descriptions of one file none may differ; the other is written with the XML
    writer.generate_file_identifiers()
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _with_metadata_that_all_read(content: bytes) -> bytes:
    """With metadata as the XMP standard writes it: `rdf` declared where it is used, and what each description is about.

    factur-x 7.8 declares it one element above and leaves the rest out; to XML that is the same, to veraPDF no metadata.
    """
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import DecodedStreamObject, NameObject, StreamObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    said = writer._root_object["/Metadata"].get_object()
    assert isinstance(said, StreamObject)  # factur-x has just written it
    stream = DecodedStreamObject()
    text = said.get_data().replace(b"<rdf:RDF>", f'<rdf:RDF xmlns:rdf="{RDF}">'.encode())
    stream.set_data(text.replace(b"<rdf:Description>", b'<rdf:Description rdf:about="">'))
    stream.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    writer._root_object[NameObject("/Metadata")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()
