"""Every text that a page may show in the reader's language: what is marked in pages and code, and what rows say."""

from __future__ import annotations

import dataclasses
import importlib
import io
import pkgutil
import re
import typing
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.extract import extract

from chaincode.contract import COMMANDS
from ledger_node import reports
from ledger_node.operations.bodies import request_body
from ledger_node.operations.readings import READINGS
from ledger_node.operations.reports import REPORTS
from ledger_node.operations.table import OPERATIONS
from ledger_node.verify.checking import READ, STEPS
from ledger_node.verify.report import LIMITS
from ledger_node.web.forms import said_of, with_forms
from ledger_node.web.texts import spaced

WEB = Path(__file__).resolve().parents[2] / "ledger_node" / "web"
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
OPTIONS = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"}
SAME_EVERYWHERE = {"CSV", "Ledger Node", "…", "✓", "✕", "→", "–", "−", "·", "%"}
"""What is no word of a language."""


def marked() -> set[str]:
    """The texts in pages and code that are marked."""
    found: set[str] = set()
    for path in [*TEMPLATES, *WEB.glob("*.py")]:
        method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
        content = io.BytesIO(path.read_bytes())
        for _line, text, _comments, _context in extract(method, content, options=OPTIONS):
            found |= {text} if isinstance(text, str) else set(text[:1])
    return found


def declared() -> set[str]:
    """The texts of rows: operations that have a form, lists and reports, with the names of their fields."""
    found: set[str] = set()
    for operation in with_forms().values():
        fields = request_body(operation).model_fields
        found |= {operation.text, operation.tag, spaced(operation.command)}
        found |= {spaced(name) for name in (*fields, *operation.in_address)}
        found |= set(filter(None, (said_of(operation, name) for name in fields)))
    found |= set(map(spaced, signed_fields()))
    found |= {READ[1], *LIMITS, *(checks for _name, checks, _check in STEPS)}
    for reading in READINGS:
        asked = [part.name for part in reading.asked]
        found |= {reading.text, spaced(reading.list_name.removesuffix("Out")), spaced(reading.noun)}
        found |= {spaced(name) for name in (*reading.columns, *asked)}
    for module in pkgutil.iter_modules(reports.__path__):
        found |= {
            spaced(name)
            for name in getattr(importlib.import_module(f"ledger_node.reports.{module.name}"), "COLUMNS", ())
        }
    for report in REPORTS:
        found |= {report.text, spaced(report.name), *(spaced(part.name) for part in report.asked)}
    return found


def signed_fields() -> set[str]:
    """The names of all that a person may sign: the commands that people give, and what stands in them."""
    found: set[str] = set()
    shapes = [COMMANDS[row.command].body for row in OPERATIONS]
    while shapes:
        hints = typing.get_type_hints(shapes.pop())
        found |= {name.removesuffix("_minor") for name in hints}
        parts = [part for hint in hints.values() for part in (hint, *typing.get_args(hint))]
        shapes += [part for part in parts if dataclasses.is_dataclass(part) and isinstance(part, type)]
    return found | {row.command for row in OPERATIONS}


def unmarked(template: str) -> Iterator[str]:
    """Words of a template that stand there for every language."""
    page = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.S)
    for text in _Texts(page).texts:
        if re.search(r"[^\W\d_]", text) and text not in SAME_EVERYWHERE:
            yield text


class _Texts(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_code = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_code = tag == "code"
        self.texts += [(value or "").strip() for name, value in attrs if name in ("title", "aria-label", "alt")]

    def handle_endtag(self, tag: str) -> None:
        self._is_code = False

    def handle_data(self, data: str) -> None:
        if not self._is_code:
            self.texts += [word for word in re.split(r"\s*·\s*", data.strip()) if word]
