"""One organisation's node with documents, tokens and texts in its folder, and backups of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from consortium import kept, new_document, organisations, write_settings
from sealing import NOW, the_officer

from ledger_node.backup.inventory import of_node
from ledger_node.backup.restoring import Read, Restored, Wanted, restore_backup
from ledger_node.backup.writing import Written, write_backup
from ledger_node.cli import main
from ledger_node.config import Settings, load_settings
from ledger_node.documents.index import OwnDocument
from ledger_node.node import Node, open_node


def silent(_: str) -> None:
    """Progress that nobody reads."""


class Keeper:
    """Keeps the supplier's node, which is in `home/supplier`, with its keys, which are in `home/authority`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "authority").mkdir(parents=True)
        organisations(home / "authority")
        self.settings: Settings = write_settings(home, home / "authority", "supplier")
        self.node: Node = open_node(self.settings)
        self.token = self.node.tokens.create("operator", 1)[0]

    def keep(self, *contents: bytes) -> list[OwnDocument]:
        """Put documents into the vault and into the index, with their commands in the outbox."""
        documents = []
        for content in contents:
            own = new_document(kept(self.node.vault, content), media_type="text/plain", kind="other", filename="f")
            body = {"document_id": own.document_id}
            self.node.outbox.put("RegisterDocument", body, beside=self.node.documents.insertion(own))
            documents.append(own)
        return documents

    def back_up(self, target: Path, **options: Any) -> Written:
        return write_backup(of_node(self.settings, **options), target, [the_officer().locking], silent, NOW)

    def restore(self, backup: Path, base: Path | None = None, **wanted: Any) -> tuple[Read, Restored]:
        return restore_backup(backup, the_officer().opening, Wanted(base, **wanted), silent, NOW)

    def reopened(self, base: Path) -> Node:
        """The node that was restored below a folder."""
        return open_node(load_settings(base / "supplier"))


def tree(folder: Path) -> dict[str, str]:
    """What is in a folder: digests by name; locks, which hold nothing, and the read model are left out."""
    skipped = (".lock", "-wal", "-shm", "readmodel.db")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(skipped)
    }


def run(*arguments: str | Path, password: str | None = None) -> Result:
    """A command of `ledger-node`."""
    return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="ledger-node", input=password)


def answer(result: Result) -> Any:
    """What a command that succeeds says in JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["result"]
