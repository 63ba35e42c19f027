"""The page of an invoice against veraPDF, which is fetched from a public repository: Java and Maven are needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ledger_node.issuing.draft import example
from ledger_node.issuing.page import write_pdf
from ledger_node.issuing.writing import draft_of

JAVA = all(map(shutil.which, ("java", "javac", "mvn")))
HERE = Path(__file__).parent / "pdf_a"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not JAVA, reason="NO JAVA: PDF/A WAS NOT CHECKED (java, javac, mvn)"),
]


@pytest.fixture(scope="module")
def verapdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verapdf")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    subprocess.run(["mvn", "-q", "dependency:copy-dependencies", "-DoutputDirectory=lib"], cwd=folder, check=True)
    subprocess.run(["javac", "-cp", "lib/*", "PdfA.java"], cwd=folder, check=True)
    return folder


def said_of(verapdf: Path, content: bytes) -> list[str]:
    (verapdf / "file.pdf").write_bytes(content)
    run = subprocess.run(
        ["java", "-cp", "lib/*:.", "PdfA", "file.pdf"], cwd=verapdf, check=True, capture_output=True, text=True
    )
    return run.stdout.splitlines()


def test_a_page_is_pdf_a_3b_for_verapdf(verapdf: Path) -> None:
    assert said_of(verapdf, write_pdf(draft_of(example(), "facts"))) == ["3b true"]


def test_control_a_page_without_named_colours_is_none(verapdf: Path) -> None:
    content = write_pdf(draft_of(example(), "facts")).replace(b"/OutputIntents", b"/OutputIntentz")
    assert said_of(verapdf, content)[0] == "3b false"
