"""However a demo ends, nothing keeps running, and the next one finds its way; what cannot be played starts nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from ledger_node.demo.stage import node_process
from ledger_node.errors import NodeError

pytestmark = pytest.mark.alone


def started(directory: Path) -> subprocess.Popen[str]:
    """A demo on the embedded ledger, as soon as its nodes are being started."""
    command = [sys.executable, "-m", "ledger_node", "demo", "--ledger", "embedded", "--dir", str(directory)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stderr is not None
    for line in process.stderr:
        if "waiting for the four nodes" in line:
            return process
    raise AssertionError("the demo ended before its nodes were started")


def at_work_in(directory: Path) -> list[psutil.Process]:
    """Processes whose command line names the folder."""
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if f"{directory}/" in " ".join(each.info["cmdline"] or [])]


def node_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_node", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_stops_what_it_started(tmp_path: Path, number: signal.Signals) -> None:
    directory = tmp_path / "a demo"
    demo = started(directory)
    demo.send_signal(number)
    _, said = demo.communicate(timeout=200)
    assert demo.returncode != 0
    assert "stopping the nodes" in said
    assert at_work_in(directory) == []


def test_a_demo_that_was_killed_is_found_and_stopped(tmp_path: Path) -> None:
    directory = tmp_path / "a demo"
    demo = started(directory)
    nodes = directory / "nodes"
    while not all((nodes / name / "serve.lock").exists() for name in ("supplier", "buyer", "financier", "carrier")):
        assert demo.poll() is None
    demo.kill()
    demo.communicate(timeout=200)

    again = node_command("demo", "--ledger", "embedded", "--dir", str(directory))
    assert again.returncode == 2, again.stderr
    assert "still running" in again.stderr

    stopped = node_command("demo", "--stop", "--dir", str(directory))
    assert stopped.returncode == 0, stopped.stderr
    assert at_work_in(directory) == []


@pytest.mark.parametrize("option", ["--invoice", "--events", "--proof"])
def test_a_file_that_cannot_be_read_is_named_before_anything_starts(tmp_path: Path, option: str) -> None:
    file = tmp_path / "broken"
    file.write_text("neither XML nor PDF nor JSON")
    refused = node_command("demo", "--ledger", "embedded", "--dir", str(tmp_path / "demo"), option, str(file), "--json")
    assert refused.returncode == 2
    assert str(file) in json.loads(refused.stdout)["error"]["text"]
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_cannot_be_written_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = node_command("demo", "--ledger", "embedded", "--dir", str(tmp_path / "file" / "demo"), "--json")
    assert refused.returncode == 1
    assert "Not a directory" in json.loads(refused.stdout)["error"]["text"]
    assert "Traceback" not in refused.stderr


class _Answering(BaseHTTPRequestHandler):
    """Says "200" to everything, as the node of another demo would."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def test_a_node_whose_port_another_one_took_is_not_taken_for_ready(tmp_path: Path) -> None:
    assert node_command("init", "--demo", "--ledger", "embedded", "--dir", str(tmp_path)).returncode == 0
    node = node_process(tmp_path, "supplier", None)
    with ThreadingHTTPServer(("127.0.0.1", node.settings.user_port), _Answering) as other:
        threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
        node.start()
        with pytest.raises(NodeError, match="cannot be used"):
            node.await_ready()
        other.shutdown()
