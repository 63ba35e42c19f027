"""Putting a backup back: verified first, nothing lost that was there, killed at any moment and repeated."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backup_world import Keeper, answer, run, silent, tree
from sealing import NOW, PASSWORD, sealed, the_officer

from ledger_node.backup import restoring
from ledger_node.backup.archive import FIRST, Contents
from ledger_node.backup.placing import move
from ledger_node.backup.restoring import STAGED, Wanted, restore_backup
from ledger_node.backup.sealed import Damaged
from ledger_node.config import load_settings, relocated
from ledger_node.errors import ConfigError
from ledger_node.serve import only_server
from ledger_node.workers.running import WorkersLock


class Killed(BaseException):
    """The process is killed here: nothing catches it."""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(tmp_path / "here")
    yield made
    made.node.close()


@pytest.fixture
def backup(keeper: Keeper, tmp_path: Path) -> Path:
    """Of the node with two documents, which is closed since then."""
    keeper.keep(b"one", b"two")
    path = Path(keeper.back_up(tmp_path / "one.backup").path)
    keeper.node.close()
    return path


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the process die before it moves the file of that number."""
    moves = iter(range(10_000))

    def moved(source: Path, target: Path) -> None:
        if next(moves) == step:
            raise Killed
        move(source, target)

    monkeypatch.setattr(restoring, "move", moved)


def test_what_exists_and_differs_is_not_overwritten(keeper: Keeper, backup: Path) -> None:
    keeper.node = keeper.reopened(keeper.home)
    keeper.keep(b"three")
    keeper.node.close()
    before = tree(keeper.home)
    with pytest.raises(ConfigError, match=r"1 of the backup's files exist .* supplier/state\.db"):
        keeper.restore(backup)
    assert tree(keeper.home) == before


def test_what_is_replaced_is_moved_aside_and_not_lost(keeper: Keeper, backup: Path) -> None:
    before = tree(keeper.home)
    keeper.node = keeper.reopened(keeper.home)
    (third,) = keeper.keep(b"three")
    keeper.node.close()
    _, restored = keeper.restore(backup, replace=True)
    aside = Path(restored.moved_aside)
    assert aside.parent == keeper.settings.directory
    after = tree(keeper.home)
    assert {name for name in before if after[name] != before[name]} == {"supplier/state.db"}
    node = keeper.reopened(keeper.home)
    assert len(node.documents.list()) == 2
    node.close()
    with sqlite3.connect(aside / "supplier" / "state.db") as connection:
        found = connection.execute("SELECT count(*) FROM own_document WHERE digest = ?", (third.digest,)).fetchone()
    connection.close()
    assert found == (1,)


def test_the_log_of_another_database_is_not_played_into_the_restored_one(keeper: Keeper, backup: Path) -> None:
    log = keeper.settings.directory / "state.db-wal"
    node = keeper.reopened(keeper.home)
    node.tokens.create("operator", 1)
    kept = log.read_bytes()
    assert kept  # control: what was written last is in the log alone
    node.close()
    (keeper.settings.directory / "state.db").unlink()
    log.write_bytes(kept)
    keeper.restore(backup)
    node = keeper.reopened(keeper.home)
    assert len(node.tokens.list()) == 1
    node.close()


def test_run_twice_it_changes_nothing(keeper: Keeper, backup: Path, tmp_path: Path) -> None:
    keeper.restore(backup, tmp_path / "new")
    before = tree(tmp_path / "new")
    read, again = keeper.restore(backup, tmp_path / "new")
    assert (again.placed, again.there_already, again.moved_aside) == (0, read.files + read.documents, "")
    assert tree(tmp_path / "new") == before


@pytest.mark.parametrize("replace", [False, True])
def test_killed_at_any_step_nothing_can_be_started_and_the_next_try_completes_it(
    keeper: Keeper, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    base = keeper.home if replace else tmp_path / "new"
    keeper.restore(backup, replace=True)
    wanted = {name: digest for name, digest in tree(keeper.home).items() if "replaced-" not in name}
    for step in range(40):
        if replace:
            (base / "supplier" / "fingerprint.key").unlink(missing_ok=True)
            (base / "supplier" / "state.db").write_bytes(b"another")
        with monkeypatch.context() as patched:
            killed_at(patched, step)
            try:
                keeper.restore(backup, base, replace=replace)
                break
            except Killed:
                pass
        startable = (base / "supplier" / "node.toml").exists()
        assert not startable or (replace and step == 0), "it could be started, half restored"
        keeper.restore(backup, base, replace=replace)
        assert not (base / "supplier" / STAGED).exists()
        found = {name: digest for name, digest in tree(base).items() if "replaced-" not in name}
        if replace:
            assert found == wanted
        else:  # elsewhere the settings name other folders, and what is no part of a node is not there
            assert {name for name in found if found[name] != wanted[name]} == {"supplier/node.toml"}
            shutil.rmtree(base)
    assert step > 2


def test_a_damaged_backup_changes_nothing(keeper: Keeper, backup: Path, tmp_path: Path) -> None:
    content = backup.read_bytes()
    (keeper.settings.directory / "state.db").write_bytes(b"another")
    before = tree(keeper.home)
    for number, bad in enumerate((content[:-1], content[: len(content) // 2], content + b"\0")):
        (tmp_path / f"{number}").write_bytes(bad)
        with pytest.raises(Damaged):
            keeper.restore(tmp_path / f"{number}", replace=True)
        assert tree(keeper.home) == before


def test_another_file_than_the_one_expected_is_refused(keeper: Keeper, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="SHA-256"):
        keeper.restore(backup, tmp_path / "new", sha256="0" * 64)
    assert tree(tmp_path / "new") == {}
    read, _ = keeper.restore(backup, tmp_path / "new")
    keeper.restore(backup, tmp_path / "newer", sha256=read.sha256.upper())


@pytest.mark.parametrize("lock", [WorkersLock, only_server])
def test_a_node_that_runs_is_not_replaced(keeper: Keeper, backup: Path, lock: Callable[[Path], Any]) -> None:
    (keeper.settings.directory / "state.db").write_bytes(b"another")
    before = tree(keeper.home)
    if lock is only_server:
        pid = os.fork()  # the lock of a server is its process's: this one may take it again
        if not pid:
            with only_server(keeper.settings.directory):
                os.kill(os.getpid(), 19)
            os._exit(0)
        os.waitpid(pid, os.WUNTRACED)
    else:
        held = WorkersLock(keeper.settings.directory)
    try:
        with pytest.raises(ConfigError, match="already"):
            keeper.restore(backup, replace=True)
        assert tree(keeper.home) == before
    finally:
        if lock is only_server:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        else:
            held.release()
    keeper.restore(backup, replace=True)


def test_two_restores_into_one_folder_at_once_are_refused(keeper: Keeper, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "supplier").mkdir(parents=True)
    with restoring._alone(tmp_path / "new" / "supplier"), pytest.raises(ConfigError, match="another restore"):
        keeper.restore(backup, tmp_path / "new")
    keeper.restore(backup, tmp_path / "new")


def test_only_documents_that_are_missing_or_damaged_are_put_back_while_the_node_runs(
    keeper: Keeper, backup: Path, tmp_path: Path
) -> None:
    node = keeper.reopened(keeper.home)
    try:
        held = WorkersLock(keeper.settings.directory)
        one, two = node.documents.list()
        before = tree(keeper.home)
        node.vault.path(one.digest).unlink()
        node.vault.path(two.digest).write_bytes(b"eaten by worms")
        token = node.tokens.create("operator", 1)[0]
        _, restored = keeper.restore(backup, documents_only=True)
        assert restored.placed == 2
        vault = {name: digest for name, digest in tree(keeper.home).items() if name.startswith("supplier/vault")}
        assert vault == {name: digest for name, digest in before.items() if name.startswith("supplier/vault")}
        assert node.tokens.check(token) is not None
        assert keeper.restore(backup, documents_only=True)[1].placed == 0
    finally:
        held.release()
        node.close()


def test_a_vault_on_another_disk_is_restored_there(
    keeper: Keeper, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def across(self: Path, target: Path) -> Path:
        if STAGED in self.parts and "vault" in self.parts:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", across)
    keeper.restore(backup, tmp_path / "new")
    node = keeper.reopened(tmp_path / "new")
    assert sorted(node.vault.open(each.digest).read() for each in node.documents.list()) == [b"one", b"two"]
    assert not [name for name in tree(tmp_path / "new") if ".moving" in name]
    node.close()


# Backups of strangers: whoever has a certificate can lock to it.

GOOD = Contents(
    kind="node", organisations=("supplier",), made_at="now", program="0", base="/srv", last="node.toml", vault="vault"
)
Entry = tuple[str, bytes, bytes]


def stranger(contents: str, *entries: Entry) -> bytes:
    """A backup made by hand: entries are name, tar type and content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as tar:
        for name, kind, content in ((FIRST, tarfile.REGTYPE, contents.encode()), *entries):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(entry, io.BytesIO(content))
    return sealed(stream.getvalue())


def put_back(backup: Path, base: Path) -> None:
    restore_backup(backup, the_officer().opening, Wanted(base), silent, NOW)


LAST: Entry = ("files/node.toml", tarfile.REGTYPE, b"organisation = 'x'")


@pytest.mark.parametrize(
    ("contents", "entries"),
    [
        (GOOD, [("files/../../evil", tarfile.REGTYPE, b"x"), LAST]),
        (GOOD, [("files//evil", tarfile.REGTYPE, b"x"), LAST]),
        (GOOD, [("files/a/./evil", tarfile.REGTYPE, b"x"), LAST]),
        (GOOD, [("/evil", tarfile.REGTYPE, b"x"), LAST]),
        (GOOD, [("evil", tarfile.REGTYPE, b"x"), LAST]),
        (GOOD, [("files/evil", tarfile.SYMTYPE, b""), LAST]),
        (GOOD, [("files/evil", tarfile.LNKTYPE, b""), LAST]),
        (GOOD, [("files/evil", tarfile.FIFOTYPE, b""), LAST]),
        (GOOD, [LAST, LAST]),
        (GOOD, []),
        (GOOD.model_copy(update={"last": "../node.toml"}), [("files/../node.toml", tarfile.REGTYPE, b"x")]),
        (GOOD.model_copy(update={"base": "srv"}), [LAST]),
        (GOOD.model_copy(update={"vault": "/vault"}), [LAST]),
        ("{}", [LAST]),
        ("no JSON", [LAST]),
    ],
)
def test_what_no_backup_holds_is_refused_and_nothing_is_written(
    tmp_path: Path, contents: Contents | str, entries: list[Entry]
) -> None:
    text = contents if isinstance(contents, str) else contents.model_dump_json()
    (tmp_path / "bad").write_bytes(stranger(text, *entries))
    before = tree(tmp_path)
    with pytest.raises(Damaged):
        put_back(tmp_path / "bad", tmp_path / "a" / "new")
    assert tree(tmp_path) == before
    (tmp_path / "good").write_bytes(stranger(GOOD.model_dump_json(), LAST))  # control
    put_back(tmp_path / "good", tmp_path / "b" / "new")
    assert (tmp_path / "b" / "new" / "node.toml").exists()


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"no tar" * 300])
def test_a_content_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(sealed(content))
    with pytest.raises(Damaged):
        put_back(tmp_path / "bad", tmp_path / "new")


def test_a_folder_that_is_restored_elsewhere_is_named_in_its_settings(tmp_path: Path) -> None:
    text = f'# mine\nvault_dir = "{tmp_path}/a/vault"\nstate_database = "sqlite:///{tmp_path}/a/state.db"\nhost = "b"\n'
    moved = relocated(text, tmp_path / "a", tmp_path / "b")
    assert f'vault_dir = "{tmp_path}/b/vault"' in moved
    assert f'state_database = "sqlite:///{tmp_path}/b/state.db"' in moved
    assert 'host = "b"' in moved
    assert relocated(text, tmp_path / "c", tmp_path / "b") == text  # nothing to change: comments stay


def test_at_the_prompt_a_node_with_relative_paths_moves_as_it_is(tmp_path: Path) -> None:
    assert run("init", "--demo", "--ledger", "embedded", "--dir", tmp_path / "scf").exit_code == 0
    node = tmp_path / "scf" / "nodes" / "supplier"
    assert run("token", "create", "--node", node, "--role", "operator").exit_code == 0
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    opens = ("--password-file", secret)
    written = answer(run("backup", "node", tmp_path, "--node", node, *opens, "--json"))
    done = run("restore", written["path"], "--to", tmp_path / "new", *opens)
    assert done.exit_code == 0, done.output
    assert f"Next: ledger-node node serve --node {tmp_path / 'new' / 'nodes' / 'supplier'}" in done.stdout
    assert load_settings(tmp_path / "new" / "nodes" / "supplier").organisation == "supplier"
    for name in ("node.toml", "fingerprint.key"):
        assert (tmp_path / "new" / "nodes" / "supplier" / name).read_bytes() == (node / name).read_bytes()
    (node / "state.db").write_bytes(b"another")
    refused = run("restore", written["path"], *opens)
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    replaced = run("restore", written["path"], "--replace", *opens)
    assert (replaced.exit_code, "replaced-" in replaced.stdout) == (0, True)
    both = run("restore", written["path"], "--replace", "--documents-only", *opens)
    assert both.exit_code == 2
    assert "hash scrub" in run("restore", written["path"], "--documents-only", *opens).stdout
    secret.write_text("another password")
    wrong = run("restore", written["path"], "--to", tmp_path / "newer", *opens)
    assert (wrong.exit_code, "password is wrong" in wrong.stderr) == (2, True)
    assert not (tmp_path / "newer").exists()
