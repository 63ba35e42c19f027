"""Texts for the catalogues: marked where they are written, and put into the reader's language where they are shown."""

from __future__ import annotations

from typing import Any

import flask_babel


def _(text: str) -> str:
    """The text itself: it is shown in a language later."""
    return text


def gettext(text: str, **values: Any) -> str:
    """The text in the reader's language."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int) -> str:
    """The text for a number of things, in the reader's language."""
    return str(flask_babel.ngettext(one, many, num))
