"""The page about the Gateway client is a program: its pieces run one after the other on a real network."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from gateway_stories import level

from network.topology import Topology

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gateway.md"
PIECES_MIN = 14


@pytest.mark.network
def test_the_page_runs_from_its_first_piece_to_its_last(kv: Topology, tmp_path: Path) -> None:
    folders = kv.folders("supplier")
    names: dict[str, Any] = {
        "endpoint": kv.organisation("supplier").peer_endpoint,
        "tls_roots": folders.tls_ca.read_bytes(),
        "msp_folder": folders.user.path,
        "folder": tmp_path,
    }
    text = PAGE.read_text()
    found = re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    pieces = [(text[: match.start()].count("\n") + 1, match[1]) for match in found]
    assert len(pieces) >= PIECES_MIN

    async def run() -> None:
        for line, piece in pieces:
            code = compile("\n" * line + piece, PAGE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)
            if inspect.isawaitable(result):
                await result
            await level(kv)  # peers that lag behind would not agree to the next piece
        await names["gateway"].close()

    asyncio.run(asyncio.wait_for(run(), 120))
