"""What pages say, in the reader's language: texts, amounts, days, and the short form of ids.

The catalogue is read from its source (`translations/*.po`) when the pages are made, so that nothing has to be built.
An amount is read by the separators of the language it is shown in, and nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, render_template, request
from flask_babel import Babel, Domain, get_locale
from markupsafe import Markup

from ledger_node.api.context import current_node
from ledger_node.web.codes import WORDS
from ledger_node.web.marks import gettext, ngettext

LANGUAGES = {"en": "English", "de": "Deutsch"}
LANGUAGE_COOKIE = "language"
CATALOGUES = Path(__file__).with_name("translations")
_SEPARATORS = {"en": (",", "."), "de": (".", ",")}
AMOUNTS = {"amount", "balance", "net_min", "limit", "used", "left", "overdue", "open", "face", "net", "discount", "fee"}
AMOUNTS |= {"debit", "credit", "opening", "closing", "debit_amount", "credit_amount", "early", "settled", "written_off"}
AMOUNTS |= {"not_due", "total", "early_paid", "fees", "liabilities", "days_over_90", "days_1_30", "days_0_7"}
AMOUNTS |= {"days_8_30", "days_31_60", "days_61_90", "used_percent"}
"""Columns that hold amounts; entries have accounts in two of them."""
DAYS = {"day", "due_date", "stated_due_date", "expected", "valid_until", "screened_until"}
DAYS |= {"due_from", "due_to", "issue_date", "cleared_on"}
PARTIES = {
    "supplier",
    "suppliers",
    "buyer",
    "holder",
    "carrier",
    "financier",
    "party",
    "msp_id",
    "submitter",
    "reporter",
}
PARTIES |= {"paid_by", "sealed_for"}
IDS = {"id", "root", "fingerprint", "claim", "duplicate_of", "reason_commitment"}
CODES = {"status", "kind", "roles", "mode", "step", "book", "type", "to_do", "waits", "code", "day_count", "scope"}
CODES |= {"claim_state", "invoice_status"}
"""What the other columns hold that are not text; a record's number may look like any of these, and is none."""
_DECIMAL, _DAY = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
AMOUNT_EXAMPLES = {"en": "1,234.50", "de": "1.234,50"}


class Catalogues(Domain):  # type: ignore[misc]
    """The texts by language, compiled in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._by_language = {path.stem: _compiled(path) for path in CATALOGUES.glob("*.po")}

    def get_translations(self) -> NullTranslations:
        """Those of the reader's language; English is what the pages are written in."""
        return self._by_language.get(str(get_locale()), NullTranslations())


def install(app: Flask) -> None:
    """Make `app` speak."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    babel = Babel()
    babel.init_app(app, locale_selector=_chosen)
    catalogues = Catalogues()
    app.before_request(catalogues.as_default)
    filters = (amount, cell, day, label, moment, rate, reason, said, short, translated, who)
    app.jinja_env.filters |= {each.__name__: each for each in filters}
    offered = (all_parties, language, party_name)
    app.jinja_env.globals |= {each.__name__: each for each in offered} | {"languages": LANGUAGES, "amounts": AMOUNTS}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def page(template: str, **shown: Any) -> str:
    """A page: what all have (who is signed in, whose node, the ledger's day and block), and its own."""
    node = current_node()
    login = g.get("login")
    signs = login is not None and not {"auditor", "admin"} >= set(login.roles)
    frame = {"login": login, "signs": signs, "msp_id": node.msp_id, "block_number": node.readmodel.block_number()}
    return render_template(template, **frame, today=node.readmodel.day(), **shown)


def language() -> str:
    """The reader's language, one of LANGUAGES."""
    return str(get_locale() or "en")


def _chosen() -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    wanted = (each.partition("-")[0].lower() for each in request.accept_languages.values())  # those of all countries
    return chosen if chosen in LANGUAGES else next((each for each in wanted if each in LANGUAGES), "en")


def _compiled(path: Path) -> Translations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def amount(decimal: str, currency: str = "") -> str:
    """An amount of the API, `1234.50`, as the reader writes it, and its currency."""
    if not _DECIMAL.fullmatch(decimal):
        return decimal  # it stood in a link
    sign, digits = ("-", decimal[1:]) if decimal.startswith("-") else ("", decimal)
    whole, _, part = digits.partition(".")
    group, point = _SEPARATORS[language()]
    grouped = f"{int(whole or 0):,}".replace(",", group)
    shown = sign + grouped + (point + part if part else "")
    return f"{shown}\u00a0{currency}" if currency else shown


def read_amount(text: str, digits: int = 2) -> str | None:
    """An amount that the reader typed, as the API takes it; None for one that means another one in another language.

    Thousands are set apart by the language's separator or by blanks, one kind for all of them. A part has at most the
    currency's digits, noughts counted: `1.500` is no euros and a half on an English page, but a thousand and a half in
    German.

    Args:
        text: as it was typed.
        digits: how many decimal digits the currency has.
    """
    group, point = map(re.escape, _SEPARATORS[language()])
    part = rf"({point}[0-9]{{1,{digits}}})?" if digits else ""
    whole = rf"[0-9]+|[0-9]{{1,3}}(?P<group>{group}|[ \u00a0\u202f])[0-9]{{3}}((?P=group)[0-9]{{3}})*"
    typed = text.strip()
    if not re.fullmatch(f"({whole}){part}", typed, re.ASCII):
        return None
    return re.sub(point, ".", re.sub(rf"{group}|[ \u00a0\u202f]", "", typed))


def day(text: str, *, distance: bool = True) -> str:
    """A day with its weekday, and how far it is from the ledger's."""
    if not text:
        return "–"
    date = dt.date.fromisoformat(text)
    shown = format_date(date, "EEE d MMM y", locale=language())
    return f"{shown} ({_distance(date)})" if distance and current_node().readmodel.day() else shown


def _distance(date: dt.date) -> str:
    days = (date - dt.date.fromisoformat(current_node().readmodel.day())).days
    if days == 0:
        return gettext("today")
    if days > 0:
        return ngettext("in %(num)d day", "in %(num)d days", days)
    return ngettext("%(num)d day ago", "%(num)d days ago", -days)


def moment(text: str | dt.datetime) -> str:
    """A time, in UTC, as the ledger has it."""
    when = dt.datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{format_datetime(when.astimezone(dt.UTC), 'd MMM y HH:mm', locale=language())}\u00a0UTC"


def short(record_id: str) -> str:
    """The beginning of an id: enough to tell it from others by eye."""
    return record_id[:8]


def said(code: str) -> str:
    """The word for a status, a kind, a role or a reason, which programs call by a code."""
    return gettext(WORDS[code]) if code in WORDS else code


def translated(text: str) -> str:
    """A text that is written elsewhere, such as in the operations' rows."""
    return gettext(text) if text else ""


def spaced(name: str) -> str:
    """A name of code as words: `ApproveInvoice` and `approve_invoice` -> `Approve invoice`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").lower()
    return words[:1].upper() + words[1:]


def label(name: str) -> str:
    """What a field, a column or a command is called."""
    return gettext(spaced(name))


def reason(code: str, text: str) -> str | Markup:
    """Why something is refused or waits: in the reader's language by its code, else as the ledger says it."""
    if code in WORDS:
        return gettext(WORDS[code])
    return Markup('<span lang="en">{}</span>').format(text)


def who(name: str) -> str:
    """A party by its name, or a role in words."""
    return said(name) if name in WORDS else party_name(name)


def rate(percent: float) -> str:
    """Per cent, as the reader writes it."""
    return amount(f"{percent:.2f}")


def cell(record: Mapping[str, Any], column: str) -> str:
    """What stands in a list's column: amounts, days and ids in the reader's way, all else as it is.

    The column says what it is, never the text: people choose numbers that look like days.
    """
    value = record.get(column, record.get("names", {}).get(column, ""))
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(cell({column: each}, column) for each in value)
    if isinstance(value, Mapping):
        return _waiting(value)
    text = str(value)
    if column == "not_visible" and current_node().msp_id not in record["sealed_for"]:
        return gettext("not visible to you: sealed for %(names)s", names=cell(record, "sealed_for"))
    if column in PARTIES or (column == "name" and ("book" in record or "scope" in record)):
        return party_name(text)
    if column in AMOUNTS:
        return amount(text) if _DECIMAL.fullmatch(text) else party_name(text)
    if column.endswith(("_id", "_ids")) or column in IDS:
        return short(text) if _ID.fullmatch(text) else text
    if column in DAYS:
        return day(text, distance=False) if _DAY.fullmatch(text) else text
    return said(text) if column in CODES else text


def _waiting(value: Mapping[str, Any]) -> str:
    """For whom something waits and why, or which payment is expected."""
    if "for" in value:
        return f"{party_name(value['for'])}: {', '.join(map(said, value['reasons']))}"
    when = f"{day(value['day'], distance=False)}: " if value["day"] else ""
    return f"{when}{amount(value['amount'])} ({said(value['what'])})"


def all_parties() -> list[tuple[str, str]]:
    """Every party: its id and its name."""
    return [(each["msp_id"], each["name"]) for each in current_node().readmodel.parties()]


def party_name(msp_id: str) -> str:
    """What a party is called; its id when it is none."""
    if "parties" not in g:
        g.parties = {each["msp_id"]: each["name"] for each in current_node().readmodel.parties()}
    return str(g.parties.get(msp_id, msp_id))
