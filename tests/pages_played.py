"""Pages of the docs as programs: what a reader types, line by line, in one shell.

Comments in a page's source steer that, where no reader sees them. They stand on lines of their own before a console:

    <!-- before: COMMAND -->               what a reader of this console is taken to have done
    <!-- beside: "COMMAND": COMMAND -->    the same of what stays, see below
    <!-- not played: REASON -->            this console is left out
    <!-- not played: "TEXT": REASON -->    its lines with this text are left out
    <!-- ends with 6: "TEXT" -->           its lines with this text end with that exit code
    <!-- stays: "TEXT": COMMAND -->        its lines with this text go on beside those that follow, which are typed as
                                           soon as the command succeeds; they are ended by their pid at the end

A comment that fits no line, and a console that the parser does not understand, are faults of the page.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from network.waiting import Patience

ROOT = Path(__file__).resolve().parents[1]
QUIET_SECONDS_MAX = 240  # without a byte of output; a busy machine is slow, and nothing is broken
TOKEN = re.compile(
    r"^ *<!-- (?P<verb>before|beside|not played|ends with \d+|stays): (?P<rest>.*?) -->$"
    r"|^(?P<indent> *)```(?P<language>\w*)\n(?P<console>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
QUOTED = re.compile(r'"(?P<text>[^"]+)"(?:: (?P<more>.*))?', re.DOTALL)
BEGIN = r"""shopt -s expand_aliases; set -eo pipefail; STAYING=()
finish() { for each in "${STAYING[@]}"; do if kill "$each" 2>/dev/null; then wait "$each" || true; fi; done; }
trap finish EXIT
"""


@dataclass(frozen=True)
class Statement:
    """What is typed at one prompt."""

    text: str
    left_out: str = ""
    """Why it is not played; empty for what is."""
    exit_code: int = 0
    stays_until: str = ""
    """What succeeds as soon as what stays can be used; empty for what ends by itself."""


@dataclass
class _Steering:
    """The comments before one console."""

    before: list[Statement] = field(default_factory=list)
    whole: str = ""
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    """What is to be done, with lines that hold which text, and what more is said of it."""

    def read(self, verb: str, rest: str) -> None:
        quoted = QUOTED.fullmatch(rest)
        if verb == "before":
            self.before.append(Statement(rest))
        elif verb == "beside":
            assert quoted and quoted["more"], f"what is beside, and until when is it awaited? {rest}"
            self.before.append(Statement(quoted["text"], stays_until=quoted["more"]))
        elif quoted:
            self.rules.append((verb, quoted["text"], quoted["more"] or ""))
        else:
            assert verb == "not played", f"{verb} of which line? {rest}"
            self.whole = rest

    def statement(self, text: str) -> Statement:
        said = {verb.partition(" with ")[0]: (verb, more) for verb, part, more in self.rules if part in text}
        ends = said.get("ends", ("ends with 0", ""))[0]
        left_out = self.whole or said.get("not played", ("", ""))[1]
        return Statement(text, left_out, int(ends.rpartition(" ")[2]), said.get("stays", ("", ""))[1])


def statements(page: Path) -> list[Statement]:
    """What a page lets its reader type, in order, and what its comments add."""
    found: list[Statement] = []
    steering = _Steering()
    for token in TOKEN.finditer(page.read_text()):
        if token["verb"]:
            steering.read(token["verb"], token["rest"])
            continue
        if token["language"] == "console":
            prompts = _prompts(token["console"], len(token["indent"]))
            assert prompts, f"{page.name}: a console without a prompt: {token['console']}"
            unfit = [part for _, part, _ in steering.rules if not any(part in text for text in prompts)]
            assert unfit == [], f"{page.name}: comments that fit no line: {unfit}"
            found += [*steering.before, *map(steering.statement, prompts)]
        else:
            typed = re.search(r"^(\$ |ledger-node )", token["console"], re.MULTILINE)
            assert not typed or token["language"] == "ini", f"{page.name}: a console that is not called so: {typed}"
            continue
        steering = _Steering()
    return found


def _prompts(console: str, indent: int) -> list[str]:
    """What is typed, with the lines that go on below it; what is printed is left out."""
    typed: list[str] = []
    for line in (each[indent:] for each in console.splitlines()):
        if line.startswith(("$ ", "# ")):
            typed.append(line[2:])
        elif typed and typed[-1].endswith("\\"):
            typed[-1] += "\n" + line
    return typed


def script(typed: list[Statement]) -> str:
    """One program for bash that types them one after the other and says at which one it ended."""
    lines = [BEGIN]
    for each in typed:
        if each.left_out:
            continue
        lines.append(f"printf '$ %s\\n' {shlex.quote(each.text)}")
        if each.stays_until:
            lines.append(f"{each.text.removesuffix('&').rstrip()} & STAYING+=($!)")
            lines.append(f"until {each.stays_until} >/dev/null 2>&1; do kill -0 $! || exit 9; sleep 0.2; done")
        elif each.exit_code:
            lines.append(f"code=0; {{ {each.text}\n}} || code=$?; [ $code -eq {each.exit_code} ]")
        else:
            lines.append(each.text)
    return "\n".join(lines) + "\n"


def play(typed: list[Statement], folder: Path, settings: Mapping[str, str] | None = None) -> str:
    """Type them in a folder, with the installed commands on the path.

    Returns: what was printed, prompts included.

    Raises: AssertionError with what was printed; its last prompt is the one that ended otherwise than the page says.
    """
    own_commands = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (folder / "typed.sh").write_text(script(typed))
    printed = folder / "printed.txt"
    with printed.open("wb") as output:  # no pipe: servers that a page leaves running would hold it open
        shell = subprocess.Popen(
            ["bash", "typed.sh"],
            cwd=folder,
            env=os.environ | own_commands | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_end(shell, printed)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGTERM)
            shell.wait()
    said = printed.read_text(errors="replace")
    assert shell.returncode == 0, said[-6000:]
    return said


def _await_end(shell: subprocess.Popen[bytes], printed: Path) -> None:
    patience = Patience(QUIET_SECONDS_MAX)
    while shell.poll() is None:
        assert not patience.is_over(printed.stat().st_size), f"{patience.words}: {printed.read_text()[-3000:]}"
        try:
            shell.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
