"""Files that are no bundles, at the prompt: a verdict with a reason and the house's exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forge import JSON, Consortium, canonical
from malformed import MALFORMED, UNCHECKABLE, made
from story import Story, tell, written

from ledger_node.verify import checking
from ledger_node.verify.case import Case
from ledger_node.verify.command import command
from ledger_node.verify.format import BUNDLE_BYTES_MAX
from ledger_node.verify.report import Outcome


@pytest.fixture(scope="module")
def true() -> Story:
    return tell(Consortium())


def run(folder: Path, bundle: bytes, trust: JSON | bytes) -> Result:
    file, bundle_file, trust_file = map(str, written(folder, bundle, trust))
    return CliRunner().invoke(command, [file, "--bundle", bundle_file, "--trust", trust_file, "--json"])


def steps(result: Result) -> list[dict[str, str]]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: list[dict[str, str]] = json.loads(result.stdout)["result"]["steps"]
    return found


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_file_that_is_no_bundle_is_refused_in_the_first_step(true: Story, tmp_path: Path, kind: str) -> None:
    result = run(tmp_path, *made(kind, true))
    first, *others = steps(result)
    assert (first["verdict"], result.exit_code) == ("INVALID", 6), first
    assert {each["verdict"] for each in others} == {"SKIPPED"}
    assert len(first["reason"]) > 15


@pytest.mark.parametrize("kind", UNCHECKABLE)
def test_what_cannot_be_checked_is_no_accusation(true: Story, tmp_path: Path, kind: str) -> None:
    result = run(tmp_path, *made(kind, true))
    assert (steps(result)[0]["verdict"], result.exit_code) == ("ERROR", 4)


def test_a_bundle_of_200_megabytes_is_refused_before_it_is_read(true: Story, tmp_path: Path) -> None:
    file, bundle, trust = written(tmp_path, true.bundle(), true.trust)
    os.truncate(bundle, 200_000_000)
    result = CliRunner().invoke(command, [str(file), "--bundle", str(bundle), "--trust", str(trust), "--json"])
    first = steps(result)[0]
    assert (first["verdict"], result.exit_code) == ("ERROR", 4)
    assert str(BUNDLE_BYTES_MAX) in first["reason"]


def test_what_nobody_foresaw_is_an_error_and_no_traceback(
    true: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(case: Case) -> Outcome:
        raise KeyError(case.bundle.issuer)

    monkeypatch.setattr(checking, "STEPS", (("file", "files untouched", broken), *checking.STEPS[1:]))
    result = run(tmp_path, true.bundle(), true.trust)
    assert (steps(result)[1]["verdict"], result.exit_code) == ("ERROR", 4)
    assert "KeyError" in steps(result)[1]["reason"]


def test_a_bundle_that_is_not_there_is_an_error(true: Story, tmp_path: Path) -> None:
    file, bundle, trust = written(tmp_path, true.bundle(), true.trust)
    bundle.unlink()
    result = CliRunner().invoke(command, [str(file), "--bundle", str(bundle), "--trust", str(trust), "--json"])
    assert (steps(result)[0]["verdict"], result.exit_code) == ("ERROR", 4)


def test_a_pipe_is_no_document_and_is_not_waited_for(true: Story, tmp_path: Path) -> None:
    _, bundle, trust = map(str, written(tmp_path, true.bundle(), true.trust))
    os.mkfifo(tmp_path / "pipe")
    result = CliRunner().invoke(command, [str(tmp_path / "pipe"), "--bundle", bundle, "--trust", trust, "--json"])
    found = {each["name"]: each["verdict"] for each in steps(result)}
    assert (found["file"], result.exit_code) == ("ERROR", 4)


def test_words_of_a_forger_do_not_speak_to_the_terminal(true: Story, tmp_path: Path) -> None:
    story = true.copy()
    story.payload["records"][0]["value"] = '{"commitment":"x","status":"\\u001b[2Jcurrent"}'
    file, bundle, trust = map(str, written(tmp_path, story.bundle(), story.trust))
    result = CliRunner().invoke(command, [file, "--bundle", bundle, "--trust", trust])
    assert "\x1b" not in result.stdout
    assert result.exit_code == 6


def test_the_verifier_runs_as_a_module_without_network_settings_and_home(true: Story, tmp_path: Path) -> None:
    file, bundle, trust = map(str, written(tmp_path, true.bundle(), true.trust))
    program = "import socket, sys\n"
    program += "def closed(*_, **__): raise OSError('no network here')\n"
    program += "socket.socket.connect = socket.getaddrinfo = closed\n"
    program += "from ledger_node.verify.command import command\n"
    program += f"try:\n    command({[file, '--bundle', bundle, '--trust', trust]!r})\n"
    program += "finally:\n    print(sorted({name.split('.')[0] for name in sys.modules} & "
    program += "{'grpc', 'sqlalchemy', 'sqlmodel', 'flask', 'httpx', 'pydantic_settings'}))\n"
    environment = {"PATH": "/nonexistent", "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_and_the_command_are_one_program(true: Story, tmp_path: Path) -> None:
    file, bundle, trust = map(str, written(tmp_path, true.bundle(), canonical(true.trust)))
    arguments = [file, "--bundle", bundle, "--trust", trust, "--json"]
    answers = []
    for program in (["ledger_node.verify"], ["ledger_node", "verify"]):
        done = subprocess.run(
            [sys.executable, "-m", *program, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        answers.append((done.returncode, done.stdout))
    assert answers[0] == answers[1]
    assert answers[0][0] == 0
