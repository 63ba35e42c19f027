"""A command line whose node answers in this process."""

from __future__ import annotations

import json
import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from api_world import Caller
from click.testing import CliRunner, Result

from ledger_node.cli import main


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Prompt:
    """One organisation's people at a command line."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.server = make_server("127.0.0.1", 0, caller.http.application, _Server, _Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def run(self, role: str, *arguments: str) -> Result:
        environment = {"LEDGER_NODE_URL": self.url, "LEDGER_NODE_TOKEN": self.caller.tokens[role]}
        return CliRunner().invoke(main, list(arguments), env=environment, prog_name="ledger-node")

    def json(self, role: str, *arguments: str) -> Any:
        """The result of a command that succeeds."""
        result = self.run(role, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)["result"]

    def text(self, role: str, *arguments: str) -> str:
        result = self.run(role, *arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
