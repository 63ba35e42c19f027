"""No text of the pages is left out of a language, and none stands in a page for all languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from texts import TEMPLATES, WEB, declared, marked, unmarked

CATALOGUES = sorted((WEB / "translations").glob("*.po"))
SHOWN = marked() | declared()


def catalogue(path: Path) -> dict[str, str]:
    """The texts of a catalogue, each with its translation; of plurals, the first one."""
    with path.open("rb") as file:
        messages = [message for message in read_po(file, locale=path.stem) if message.id]
    said: dict[str, str] = {}
    for message in messages:
        texts = [message.string] if isinstance(message.string, str) else [str(each) for each in message.string or ()]
        said[message.id if isinstance(message.id, str) else str(message.id[0])] = "|".join(texts) if all(texts) else ""
    return said


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_text_is_said_in_the_language(path: Path) -> None:
    said = catalogue(path)
    assert [text for text in sorted(SHOWN) if not said.get(text)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_text_is_said_that_nobody_shows(path: Path) -> None:
    assert sorted(set(catalogue(path)) - SHOWN) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_what_is_filled_in_is_the_same_in_every_language(path: Path) -> None:
    holes = {text: (re.findall(r"%\(\w+\)[sd]|%%", text), said) for text, said in catalogue(path).items()}
    assert [text for text, (names, said) in holes.items() if any(name not in said for name in names)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_page_has_no_words_that_are_the_same_in_every_language(path: Path) -> None:
    assert list(unmarked(path.read_text())) == []


def test_a_planted_word_in_a_page_is_caught() -> None:
    assert list(unmarked('<p title="{{ _("Hello") }}">{{ _("Hello") }} · 5</p>')) == []
    assert list(unmarked('<p title="Hello">Good day</p>')) == ["Hello", "Good day"]


def test_german_is_there() -> None:
    assert [path.stem for path in CATALOGUES] == ["de"]
