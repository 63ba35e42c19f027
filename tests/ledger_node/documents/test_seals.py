"""Sealing a folder: one root, a proof beside each file, nothing lost by a kill, every false proof named."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sender import Crash

from ledger_node.documents import seals
from ledger_node.documents.seals import PLAN_NAME, Proof, SealReport, check_proof, read_proof, seal_folder
from ledger_node.errors import BadRequest, VerificationError
from ledger_node.hashing import UnreadableError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.ledger.interface import ContractRefused

FILES = {"a.xml": b"first", "b.pdf": b"second", "deep/er/c.json": b"third", "empty": b"", "e": b"first"}


class Recorder:
    """What a node answers: the same key gives the same seal."""

    def __init__(self) -> None:
        self.recorded: dict[str, tuple[str, int]] = {}
        self.asked = 0
        self.after: Callable[[], None] = lambda: None

    def __call__(self, root: str, size: int, key: str) -> dict[str, Any]:
        self.asked += 1
        assert self.recorded.setdefault(key, (root, size)) == (root, size)
        self.after()
        return {"record_id": key, "transaction_id": "t" * 64, "block_number": 7}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def seal(folder: Path, recorder: Recorder, proofs: Path | None = None) -> SealReport:
    return seal_folder(folder, proofs or folder, HashlibBackend().hash_batch, recorder)


def proof_of(folder: Path, name: str) -> Proof:
    return read_proof(folder / f"{name}.proof.json")


def test_every_file_of_a_folder_has_a_proof_under_the_one_root_that_was_recorded(folder: Path) -> None:
    recorder = Recorder()
    report = seal(folder, recorder)
    ((root, size),) = recorder.recorded.values()
    assert size == len(FILES)
    assert [each["root"] for each in report.seals] == [root]
    for name in FILES:
        proof = proof_of(folder, name)
        check_proof(folder / name, proof, root)
        assert (proof.file, proof.transaction_id, proof.block_number) == (name, "t" * 64, 7)
        assert (folder / f"{name}.proof.json").stat().st_mode & 0o777 == 0o600
    assert not (folder / PLAN_NAME).exists()
    assert len({proof_of(folder, name).commitment for name in FILES}) == len(FILES)  # two files are the same, salted


def test_sealing_again_seals_only_what_is_new(folder: Path, tmp_path: Path) -> None:
    recorder, proofs = Recorder(), tmp_path / "proofs"
    seal(folder, recorder, proofs)
    before = {path: path.read_bytes() for path in proofs.rglob("*.proof.json")}
    assert seal(folder, recorder, proofs).seals == []
    (folder / "late.xml").write_bytes(b"late")
    report = seal(folder, recorder, proofs)
    assert ([each["size"] for each in report.seals], report.proved_before) == ([1], len(FILES))
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in folder.rglob("*.proof.json")} == set()


@pytest.mark.parametrize("kill_at", range(8))
def test_killed_at_any_write_nothing_is_sealed_twice_and_no_salt_is_lost(
    folder: Path, kill_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, write, writes = Recorder(), seals._write, 0

    def dying(path: Path, content: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == kill_at:
            raise Crash
        write(path, content)

    monkeypatch.setattr(seals, "_write", dying)
    if kill_at == 0:
        recorder.after = _die
    if kill_at == 7:
        monkeypatch.setattr(Path, "unlink", _die)
    with pytest.raises(Crash):
        seal(folder, recorder)
    monkeypatch.undo()
    recorder.after = lambda: None
    seal(folder, recorder)
    ((root, size),) = recorder.recorded.values()
    assert size == len(FILES)
    for name in FILES:
        check_proof(folder / name, proof_of(folder, name), root)
    assert seal(folder, recorder).seals == []


def _die(*_: object, **__: object) -> None:
    raise Crash


def test_a_refused_seal_leaves_no_plan_behind(folder: Path) -> None:
    recorder = Recorder()

    def refuse() -> None:
        raise ContractRefused("DAY_NOT_OPEN: no day has been opened yet", "t" * 64)

    recorder.after = refuse
    with pytest.raises(ContractRefused):
        seal(folder, recorder)
    assert not (folder / PLAN_NAME).exists()
    recorder.after = lambda: None
    assert [each["size"] for each in seal(folder, recorder).seals] == [len(FILES)]


def test_a_file_changed_after_it_was_sealed_stops_the_next_sealing_and_is_named(folder: Path) -> None:
    recorder = Recorder()
    seal(folder, recorder)
    (folder / "new.xml").write_bytes(b"new")
    (folder / "a.xml").write_bytes(b"First")
    with pytest.raises(VerificationError, match=r"a\.xml is not the one that was sealed"):
        seal(folder, recorder)
    assert recorder.asked == 1


def test_what_cannot_be_sealed_is_named_and_nothing_is(folder: Path) -> None:
    recorder = Recorder()
    (folder / "link").symlink_to(folder / "a.xml")
    with pytest.raises(BadRequest, match="link is a link"):
        seal(folder, recorder)
    (folder / "link").unlink()
    hash_batch = HashlibBackend().hash_batch
    with pytest.raises(UnreadableError, match=r"vanished"):
        seal_folder(folder, folder, lambda sources: [*hash_batch(sources[:-1]), UnreadableError("vanished")], recorder)
    assert (recorder.asked, list(folder.rglob("*.proof.json"))) == (0, [])


def refused(folder: Path, because: str) -> None:
    """Attack and control: nothing is sealed because of one entry; without it everything is."""
    recorder = Recorder()
    with pytest.raises(BadRequest, match=because):
        seal(folder, recorder)
    assert (recorder.asked, list(folder.rglob("*.proof.json.proof.json"))) == (0, [])


def test_a_linked_folder_is_refused_by_name_and_not_left_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "paper").write_bytes(b"paper")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    refused(folder, "linked is a link")
    (folder / "linked").unlink()
    assert len(seal(folder, Recorder()).seals) == 1


def test_a_folder_that_cannot_be_read_is_refused_by_name_and_not_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def locked(path: str) -> Any:
        """As the system answers anybody but root for a folder without permissions."""
        if str(path).endswith("deep"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    refused(folder, "the folder .*deep cannot be read: Permission denied")
    monkeypatch.undo()
    assert [each["size"] for each in seal(folder, Recorder()).seals] == [len(FILES)]


def test_a_name_that_is_not_utf8_is_refused_by_name(folder: Path) -> None:
    strange = folder / os.fsdecode(b"\xff\xfe.xml")
    strange.write_bytes(b"strange")
    refused(folder, r"udcff.udcfe\.xml' is not UTF-8")
    strange.unlink()
    assert len(seal(folder, Recorder()).seals) == 1


def test_a_document_that_is_called_like_a_proof_is_refused_beside_proofs_and_sealed_apart_from_them(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "delivery.proof.json").write_bytes(b'{"delivered": true}')
    refused(folder, "delivery.proof.json is called like a proof and is none")
    assert [each["size"] for each in seal(folder, Recorder(), tmp_path / "proofs").seals] == [len(FILES) + 1]


def test_a_proof_whose_file_is_gone_is_told(folder: Path) -> None:
    recorder = Recorder()
    assert seal(folder, recorder).lost == []
    (folder / "a.xml").unlink()
    assert seal(folder, recorder).lost == [str(folder.resolve() / "a.xml.proof.json")]
    (folder / "a.xml.proof.json").unlink()
    assert seal(folder, recorder).lost == []


def test_the_unfinished_sealing_of_a_folder_within_is_told(folder: Path) -> None:
    (folder / "deep" / PLAN_NAME).write_bytes(b"{}")
    refused(folder, "the sealing of .*deep was not ended")


def test_a_second_process_is_kept_out_of_the_folder(folder: Path) -> None:
    recorder = Recorder()
    recorder.after = lambda: _expect_busy(folder)
    seal(folder, recorder)
    assert recorder.asked == 1


def _expect_busy(folder: Path) -> None:
    with pytest.raises(BadRequest, match="another process is sealing"):
        seal(folder, Recorder())


OTHER = secrets.token_hex(32)
FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "another salt": ({"salt": OTHER}, "the file .* is not the one"),
    "another commitment": ({"commitment": OTHER}, "the file .* is not the one"),
    "another index": ({"leaf_index": 3}, "the path is false: from document 3"),
    "an index beyond the tree": ({"leaf_index": 5}, "the index is false"),
    "a smaller tree": ({"tree_size": 2}, "the index is false"),
    "another path": ({"audit_path": [OTHER] * 3}, "the path is false"),
    "a shorter path": ({"audit_path": []}, "the index is false: no tree of 5 documents has a path of 0 steps"),
    "another root": ({"root": OTHER}, "the path is false"),
    "another size": ({"size_bytes": 10**6}, "the size is false: .* the proof says 1000000"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_proof_is_false_and_says_what_is_false_about_it(folder: Path, name: str) -> None:
    seal(folder, Recorder())
    proof = proof_of(folder, "b.pdf")
    check_proof(folder / "b.pdf", proof)
    changes, text = FORGERIES[name]
    with pytest.raises(VerificationError, match=text):
        check_proof(folder / "b.pdf", proof.model_copy(update=changes))


def test_a_whole_forged_tree_is_told_by_the_ledgers_root_only(folder: Path) -> None:
    seal(folder, Recorder())
    real = proof_of(folder, "a.xml").root
    (folder / "a.xml").write_bytes(b"forged")
    for path in folder.rglob("*.proof.json"):
        path.unlink()
    seal(folder, Recorder())
    forged = proof_of(folder, "a.xml")
    check_proof(folder / "a.xml", forged)
    with pytest.raises(VerificationError, match=f"the root is false: .* the ledger holds {real}"):
        check_proof(folder / "a.xml", forged, real)


def test_a_root_changed_in_the_proof_alone_is_told_by_the_ledgers_root(folder: Path) -> None:
    seal(folder, Recorder())
    proof = proof_of(folder, "a.xml")
    with pytest.raises(VerificationError, match=f"the root is false: the file is under {proof.root}"):
        check_proof(folder / "a.xml", proof.model_copy(update={"root": OTHER}), proof.root)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"algorithm": "MD5"},
        {"salt": "zz"},
        {"unknown": 1},
        {"leaf_index": -1},
        {"root": None},
        {"tree_size": 1 << 65},
        {"audit_path": [OTHER] * 65},
        {"seal_id": "\x1b[2J"},
        {"transaction_id": "t\nchecked: the ledger holds this root"},
    ],
)
def test_what_is_no_proof_is_not_read_as_one(folder: Path, change: dict[str, Any]) -> None:
    seal(folder, Recorder())
    path = folder / "a.xml.proof.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadRequest, match=next(iter(change))):
        read_proof(path)
    path.write_bytes(b"\xff")
    with pytest.raises(BadRequest, match="is no proof"):
        read_proof(path)


def test_a_proof_that_has_no_end_is_not_read_to_it() -> None:
    with pytest.raises(BadRequest, match="/dev/zero is no proof: it is longer than"):
        read_proof(Path("/dev/zero"))
