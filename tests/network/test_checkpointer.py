"""How far a reader of events has come: whatever happens while it is written down, it can be read again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from network.gateway import ChaincodeEvent, FileCheckpointer, MemoryCheckpointer

EVENT = ChaincodeEvent(7, "a" * 64, "kv", "Paid", b"1")
ENDLESS = """
import sys
from pathlib import Path
from network.gateway import FileCheckpointer
checkpointer = FileCheckpointer(Path(sys.argv[1]))
number = checkpointer.block_number or 0
while True:
    number += 1
    checkpointer.checkpoint_transaction(number, str(number) * 20)
    print(number, flush=True)
"""


@pytest.fixture(params=["memory", "file"])
def checkpointer(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryCheckpointer:
    return MemoryCheckpointer() if request.param == "memory" else FileCheckpointer(tmp_path / "checkpoint")


def test_a_checkpoint_names_what_is_expected_next(checkpointer: MemoryCheckpointer) -> None:
    assert (checkpointer.block_number, checkpointer.transaction_id) == (None, "")
    checkpointer.checkpoint_block(7)
    assert (checkpointer.block_number, checkpointer.transaction_id) == (8, "")
    checkpointer.checkpoint_transaction(8, "b" * 64)
    assert (checkpointer.block_number, checkpointer.transaction_id) == (8, "b" * 64)
    checkpointer.checkpoint_chaincode_event(EVENT)
    assert (checkpointer.block_number, checkpointer.transaction_id) == (7, "a" * 64)


def test_a_file_is_read_again_and_has_the_form_of_the_official_clients(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    FileCheckpointer(path).checkpoint_chaincode_event(EVENT)
    again = FileCheckpointer(path)
    assert (again.block_number, again.transaction_id) == (7, "a" * 64)
    assert json.loads(path.read_text()) == {"blockNumber": 7, "transactionId": "a" * 64}
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "0", '{"blockNumber":-1,"transactionId":""}'),
        '{"blockNumber":"-1","transactionId":""}',
        '{"blockNumber":"one","transactionId":""}',
        '{"blockNumber":true,"transactionId":""}',
        '{"blockNumber":1,"transactionId":2}',
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "checkpoint"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no checkpoint: restore it, or delete it"):
        FileCheckpointer(path)
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{}", (None, "")),  # Node, before anything is done
        ('{"blockNumber":7,"transactionId":"ab"}', (7, "ab")),  # Go, Java and ours
        ('{"blockNumber":"7","transactionId":"ab"}', (7, "ab")),  # Node
        ('{"blockNumber":"8"}', (8, "")),  # Node, behind a whole block
    ],
)
def test_a_checkpoint_that_an_official_client_wrote_is_gone_on_from(
    tmp_path: Path, content: str, expected: tuple[int | None, str]
) -> None:
    path = tmp_path / "checkpoint"
    path.write_text(content)
    checkpointer = FileCheckpointer(path)
    assert (checkpointer.block_number, checkpointer.transaction_id) == expected


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    checkpointer = FileCheckpointer(folder / "checkpoint")
    checkpointer.checkpoint_block(1)
    (folder / "checkpoint.new").mkdir()
    with pytest.raises(IsADirectoryError):
        checkpointer.checkpoint_block(2)
    assert checkpointer.block_number == 2
    assert FileCheckpointer(folder / "checkpoint").block_number == 2


def test_a_process_killed_at_any_point_leaves_its_last_checkpoint_or_the_one_it_was_writing(tmp_path: Path) -> None:
    path, chance = tmp_path / "checkpoint", random.Random(4)
    done = 0
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(chance.randrange(1, 60)):
            done = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        last = child.communicate()[0].split()
        done = int(last[-1]) if last else done
        found = FileCheckpointer(path)
        assert found.block_number in (done, done + 1)
        assert found.transaction_id == str(found.block_number) * 20
