"""What people call things: numbers, references and file names, known here and never on the ledger.

A name is kept under what the ledger itself holds of it: the id of the document that says it, or the keyed fingerprint
or commitment of what was typed. So a name of a command that was refused is never shown, nobody can give another's
record a name, and erasing a document's names is deleting the rows under its id.
Source: docs/adr/0016-names-belong-to-what-the-ledger-holds-of-them.md.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Executable
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, replacing, table_of
from ledger_node.errors import BadRequest

NAME_CHARACTERS_MAX = 200
FOUND_MAX = 5000
KEYS_A_QUERY_MAX = 500

Named = dict[str, str]
"""The names of one record: what they are (such as "number") and how they read."""


class NameRow(StateTable, table=True):
    """One name. `key` is a document's id, or a fingerprint or commitment; `folded` is what is compared."""

    __tablename__ = "name"
    key: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    value: str
    folded: str = Field(index=True)


@dataclass(frozen=True, slots=True)
class Name:
    """One name: `key` as in NameRow, `field` what it is."""

    key: str
    field: str
    value: str


def folded(text: str) -> str:
    """A text as it is compared: case, width and white space make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def readable(text: str) -> str:
    """A name that strangers wrote, as it may be shown: on one line, without what steers a terminal."""
    return "".join(each for each in text if each.isprintable())[:NAME_CHARACTERS_MAX].strip()


class Names:
    """All names that this node knows, in the state database.

    Args:
        database: the state database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def insertion(self, names: Sequence[Name], *, keep: bool = False) -> tuple[Executable, ...]:
        """The statements that keep names, to run in the very transaction that stores what they came with.

        Args:
            names: those that are empty, once they are readable, are left out.
            keep: whether a name that is known already stays as it is.
        """
        rows = {
            (name.key, name.field): {"key": name.key, "field": name.field, "value": value, "folded": folded(value)}
            for name in names
            if (value := readable(name.value))
        }
        if not rows:
            return ()
        return (replacing(self._database.dialect, table_of(NameRow), keep=keep).values(list(rows.values())),)

    def of(self, keys: Collection[str]) -> dict[str, Named]:
        """The names under each of some keys that has any."""
        found: dict[str, Named] = defaultdict(dict)
        wanted = sorted(set(keys))
        with self._database.read() as session:
            for start in range(0, len(wanted), KEYS_A_QUERY_MAX):
                some = col(NameRow.key).in_(wanted[start : start + KEYS_A_QUERY_MAX])
                for row in session.exec(select(NameRow).where(some)).all():
                    found[row.key][row.field] = row.value
        return found

    def called(self, text: str, fields: Collection[str]) -> list[str]:
        """The keys under which there is exactly this name. Raises: BadRequest when there are too many.

        Args:
            text: the name.
            fields: what it may be, such as "number".
        """
        return self._keys((col(NameRow.folded) == folded(text)) & col(NameRow.field).in_(fields), text)

    def holding(self, text: str) -> list[str]:
        """The keys under which there is a name with this text in it. Raises: BadRequest when there are too many."""
        return self._keys(col(NameRow.folded).contains(folded(text), autoescape=True), text)

    def _keys(self, matches: ColumnElement[bool], text: str) -> list[str]:
        statement = select(NameRow.key).where(matches).distinct().limit(FOUND_MAX + 1)
        with self._database.read() as session:
            keys = list(session.exec(statement).all())
        if len(keys) > FOUND_MAX:
            raise BadRequest(f"more than {FOUND_MAX} names hold {text!r}", "Type more of it.")
        return keys
