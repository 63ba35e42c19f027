"""A node is backed up while it works: one snapshot, with every document that it names, or no file at all."""

from __future__ import annotations

import errno
import fcntl
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from backup_world import Keeper, answer, run
from sealing import NOW, PASSWORD, officer, the_officer

from ledger_node.agreement import make_key
from ledger_node.backup import writing
from ledger_node.backup.inventory import of_node
from ledger_node.errors import BadRequest, ConfigError, NodeError, VerificationError

PRIVATE = ("server.key", "state.db", "node.toml", "agreement.key")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(tmp_path / "here")
    yield made
    made.node.close()


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_everything_precious_comes_back_on_an_empty_machine(keeper: Keeper, tmp_path: Path) -> None:
    (own,) = keeper.keep(b"an invoice")
    agreed = make_key(keeper.node.settings.at(keeper.node.settings.agreement_key_file))
    written = keeper.back_up(tmp_path)
    keeper.node.close()
    keeper.home.rename(tmp_path / "gone")
    read, restored = keeper.restore(Path(written.path), tmp_path / "new")
    assert (read.sha256, read.documents, restored.placed) == (written.sha256, 1, written.files + 1)
    node = keeper.reopened(tmp_path / "new")
    try:
        assert node.documents.list() == [own]
        assert node.vault.open(own.digest).read() == b"an invoice"
        assert node.tokens.check(keeper.token) is not None
        assert node.outbox.counts()["waiting"] == 1
        assert node.fingerprint_key == keeper.node.fingerprint_key
        assert node.agreement.holds(agreed)
        assert node.readmodel.block_number() == -1  # what others have is fetched from them
        assert node.settings.at(node.settings.tls.private_key).is_relative_to(tmp_path / "new")
    finally:
        node.close()
    keys = [path for path in (tmp_path / "new").rglob("*") if path.name in PRIVATE]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    folders = [path for path in (tmp_path / "new").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folders if path.name != "incoming"} == {0}


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(keeper: Keeper, tmp_path: Path) -> None:
    """A document is in the vault before the database names it, so every one that a backup names is in it."""
    stop, begun = threading.Event(), threading.Event()

    def upload() -> None:
        number = 0
        while not stop.is_set() and number < 300:  # enough to be met by all three
            keeper.keep(b"document %d" % number)
            number += 1
            if number == 5:
                begun.set()

    uploads = threading.Thread(target=upload)
    uploads.start()
    try:
        assert begun.wait(120)
        backups = [keeper.back_up(tmp_path / f"{number}.backup") for number in range(3)]
    finally:
        stop.set()
        uploads.join()
    for number, written in enumerate(backups):
        assert written.documents_missing == []
        keeper.restore(Path(written.path), tmp_path / str(number))
        node = keeper.reopened(tmp_path / str(number))
        try:
            named = node.documents.list(per_page=100_000)
            assert len(named) >= 5
            assert node.outbox.counts()["waiting"] == len(named)
            assert [each for each in named if not node.vault.path(each.digest).exists()] == []
        finally:
            node.close()


def test_it_is_one_file_for_its_owner_only_and_leaves_nothing_else(keeper: Keeper, tmp_path: Path) -> None:
    written = keeper.back_up(tmp_path)
    path = Path(written.path)
    assert path.name == "supplier-node-20261130T120000Z.backup"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hidden(tmp_path) + hidden(keeper.settings.directory) == []


def test_a_backup_that_is_there_is_never_overwritten(keeper: Keeper, tmp_path: Path) -> None:
    written = keeper.back_up(tmp_path / "one.backup")
    before = Path(written.path).read_bytes()
    with pytest.raises(BadRequest, match="is there already"):
        keeper.back_up(tmp_path / "one.backup")
    assert Path(written.path).read_bytes() == before


@pytest.mark.parametrize("step", range(4))
def test_one_that_is_interrupted_at_any_step_leaves_no_file(keeper: Keeper, tmp_path: Path, step: int) -> None:
    steps = iter(range(4))

    def progress(_: str) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write_backup(of_node(keeper.settings), tmp_path / "one.backup", [the_officer().locking], progress, NOW)
    assert not (tmp_path / "one.backup").exists()
    assert hidden(tmp_path) + hidden(keeper.settings.directory) == []


def test_what_a_kill_left_does_not_hinder_the_next_one(keeper: Keeper, tmp_path: Path) -> None:
    for name in (".one.backup.new", ".supplier-node-20261130T110000Z.backup.new"):
        (tmp_path / name).write_bytes(b"half of it")
    copies = keeper.settings.directory / writing.COPIES
    copies.mkdir()
    (copies / "state.db").write_bytes(b"half of it")
    keeper.back_up(tmp_path / "one.backup")
    assert hidden(tmp_path) + hidden(keeper.settings.directory) == []


def test_two_at_once_are_refused(keeper: Keeper, tmp_path: Path) -> None:
    with (keeper.settings.directory / writing.LOCK_NAME).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another backup"):
            keeper.back_up(tmp_path)
    keeper.back_up(tmp_path)


def test_documents_that_are_lost_already_are_named_and_the_rest_is_kept(keeper: Keeper, tmp_path: Path) -> None:
    missing, damaged, good = keeper.keep(b"missing", b"damaged", b"good")
    keeper.node.vault.path(missing.digest).unlink()
    keeper.node.vault.path(damaged.digest).write_bytes(b"eaten by worms")
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\n")
    at = ("--node", keeper.settings.directory, "--password-file", secret)
    done = run("backup", "node", tmp_path / "one.backup", *at)
    assert done.exit_code == 6
    assert missing.digest.hex() in done.stderr
    assert damaged.digest.hex() in done.stderr
    assert good.digest.hex() not in done.stderr
    verified = run("backup", "verify", tmp_path / "one.backup", "--password-file", secret)
    assert verified.exit_code == 6
    assert damaged.digest.hex() in verified.stderr
    put = answer(run("restore", tmp_path / "one.backup", "--to", tmp_path / "new", "--password-file", secret, "--json"))
    assert put["documents_damaged"] == [damaged.digest.hex()]
    assert [path.read_bytes() for path in (tmp_path / "new" / "supplier" / "vault").rglob("*") if path.is_file()] == [
        b"good"
    ]


def test_a_damaged_state_database_is_told_before_it_takes_the_place_of_good_backups(
    keeper: Keeper, tmp_path: Path
) -> None:
    keeper.keep(*(b"document %d" % number for number in range(200)))
    keeper.node.close()
    database = keeper.settings.directory / "state.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(content)
    with pytest.raises(VerificationError, match="is damaged"):
        keeper.back_up(tmp_path / "one.backup")
    assert not (tmp_path / "one.backup").exists()


def test_a_database_that_stays_locked_is_no_damaged_one(
    keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOCKED_SECONDS_MAX", 0.3)
    keeper.node.close()
    with sqlite3.connect(keeper.settings.directory / "state.db") as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NodeError, match="cannot be copied") as told:
            keeper.back_up(tmp_path / "one.backup")
    other.close()
    assert not isinstance(told.value, VerificationError)


def test_a_database_on_a_server_is_backed_up_by_the_server_which_must_be_said(keeper: Keeper, tmp_path: Path) -> None:
    settings = keeper.settings.model_copy(update={"state_database": "postgresql+psycopg://node@localhost/state"})
    settings._directory = keeper.settings.directory
    with pytest.raises(ConfigError, match="on a server"):
        of_node(settings)
    assert of_node(settings, database_apart=True).databases == ()


def test_a_key_that_node_toml_names_and_is_not_there_is_told(keeper: Keeper) -> None:
    keeper.settings.at(keeper.settings.tls.private_key).unlink()
    with pytest.raises(ConfigError, match=r"tls\.private_key"):
        of_node(keeper.settings)


def test_it_can_be_written_without_the_vault(keeper: Keeper, tmp_path: Path) -> None:
    keeper.keep(b"an invoice")
    written = keeper.back_up(tmp_path / "one.backup", vault=False)
    assert (written.documents, written.documents_missing) == (0, [])
    keeper.restore(Path(written.path), tmp_path / "new")
    keeper.reopened(tmp_path / "new").close()


def test_progress_is_told_in_words(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "TOLD_BYTES", 1)
    keeper.keep(b"an invoice")
    told: list[str] = []
    writing.write_backup(of_node(keeper.settings), tmp_path, [the_officer().locking], told.append, NOW)
    assert told[0] == f"copying {keeper.settings.directory / 'state.db'}"
    assert any("1 documents so far" in line for line in told)


def test_a_full_disk_is_told_with_the_place_of_the_backup(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as told, writing._placed(tmp_path / "one.backup") as stream:
        stream.write(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert told.value.filename == str(tmp_path / ".one.backup.new")
    assert list(tmp_path.iterdir()) == []


def test_at_the_prompt_somebody_must_be_able_to_open_it(keeper: Keeper, tmp_path: Path) -> None:
    at = ("--node", keeper.settings.directory)
    nobody = run("backup", "node", tmp_path, *at)
    assert (nobody.exit_code, "no terminal" in nobody.stderr) == (2, True)
    owner, other = officer(), officer()
    for name, each in (("owner", owner), ("other", other)):
        (tmp_path / f"{name}.pem").write_bytes(each.certificate)
        (tmp_path / f"{name}.key").write_bytes(each.key)
    written = answer(run("backup", "node", tmp_path, *at, "--recipient", tmp_path / "owner.pem", "--json"))
    assert written["documents"] == 0
    opened = run("backup", "verify", written["path"], "--key", tmp_path / "owner.key")
    assert written["sha256"] in opened.stdout
    assert run("backup", "verify", written["path"], "--key", tmp_path / "other.key").exit_code == 2
