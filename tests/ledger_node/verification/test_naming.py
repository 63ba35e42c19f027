"""Documents are gone through for their names once, whatever cannot be had and whatever a file does to its reader."""

from __future__ import annotations

import contextlib
import io
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from consortium import eventually
from structlog.testing import capture_logs

from ledger_node.verification import naming
from ledger_node.verification.naming import PASSES, Namer
from ledger_node.verification.recompute import NOTHING_READ

GONE, UNFORESEEN = f"{7:032x}", f"{8:032x}"


class Rooms:
    """A node's rooms: documents of another party, none of which says a name."""

    given = tuple(
        {"document_id": f"{number:032x}", "submitter": "SupplierMSP", "kind": "invoice"} for number in range(20)
    )

    def documents_after(self, last: str, _party: str, limit: int) -> list[dict[str, str]]:
        return [each for each in self.given if each["document_id"] > last][:limit]

    def get(self, _document_id: str) -> None:
        """None is the node's own."""

    def of(self, _ids: list[str]) -> dict[str, Any]:
        return {}

    def insertion(self, _names: Any, *, keep: bool) -> tuple[Any, ...]:
        return ()

    @contextlib.contextmanager
    def write(self) -> Iterator[None]:
        yield


def test_what_was_read_or_cannot_be_had_is_not_asked_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "PASS_SECONDS", 0.0)
    monkeypatch.setattr(naming, "PAUSE_SECONDS", 0.0)
    asked: Counter[str] = Counter()

    def opened(document: dict[str, str]) -> BinaryIO:
        asked[document["document_id"]] += 1
        if document["document_id"] == GONE:
            raise OSError("gone")
        if document["document_id"] == UNFORESEEN:
            raise MemoryError
        return io.BytesIO(b"x")

    rooms: Any = Rooms()
    done = tmp_path / "done"

    def start() -> Counter[str]:
        """What a node asks for from its start to its end."""
        asked.clear()
        namer = Namer("A", rooms, rooms, rooms, rooms, rooms, opened, lambda *_: NOTHING_READ, done)
        stop = threading.Event()
        worker = threading.Thread(target=namer.run, args=(stop,), daemon=True)
        worker.start()
        eventually(done.exists, "all passes are over")
        stop.set()
        worker.join(60)
        return asked

    with capture_logs() as lines:
        first = dict(start())
    assert first == {each["document_id"]: 1 for each in Rooms.given} | {GONE: PASSES, UNFORESEEN: PASSES}
    assert Counter((line["reason"], line["exc_info"]) for line in lines) == {
        ("gone", False): PASSES,
        ("MemoryError", True): PASSES,
    }
    assert start() == {}
