"""Files that cannot be read, or change while they are read, have the same answer by every backend, and only they."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from cpu_backends import BACKENDS, Backend, expected, found

from ledger_node.hashing import Descriptor, Hashed, UnreadableError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.sources import Source

every_backend = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
GOOD = b"a document beside it"
LARGE_BYTES = 64 << 20


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good"
    path.write_bytes(GOOD)
    return path


def refusal(backend: Backend, bad: Source, good: Path) -> str:
    """The text of the one error of a batch whose other documents are hashed."""
    first, error, last = backend.hash_batch([good, bad, good])
    assert found([first, last]) == expected([GOOD]) * 2
    assert isinstance(error, UnreadableError)
    return error.text


@every_backend
def test_a_missing_file_is_named_with_its_cause(backend: Backend, good: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert refusal(backend, missing, good) == f"cannot read {missing}: {os.strerror(errno.ENOENT)}"


@every_backend
def test_a_folder_is_no_document(backend: Backend, good: Path, tmp_path: Path) -> None:
    assert refusal(backend, tmp_path, good) == f"cannot read {tmp_path}: it is not a regular file"


@every_backend
def test_a_named_pipe_that_nobody_writes_holds_up_nothing(backend: Backend, good: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(backend, pipe, good) == f"cannot read {pipe}: it is not a regular file"


@every_backend
def test_a_device_without_end_is_no_document(backend: Backend, good: Path) -> None:
    assert refusal(backend, Path("/dev/zero"), good) == "cannot read /dev/zero: it is not a regular file"


@every_backend
def test_a_read_error_is_the_answer_for_its_own_document(backend: Backend, good: Path) -> None:
    # The first page of a process's own memory is never there: reading it fails with EIO.
    text = refusal(backend, Path("/proc/self/mem"), good)
    assert text == f"cannot read /proc/self/mem: {os.strerror(errno.EIO)}"


@every_backend
def test_a_file_whose_size_nobody_knows_is_not_taken_for_an_empty_one(backend: Backend, good: Path) -> None:
    assert refusal(backend, Path("/proc/self/status"), good) == "/proc/self/status changed while it was read"


@every_backend
def test_a_name_that_no_file_can_have_is_unreadable(backend: Backend, good: Path) -> None:
    assert refusal(backend, Path("a\0b"), good).startswith("cannot read a\0b: ")


@every_backend
def test_a_closed_descriptor_is_unreadable(backend: Backend, good: Path) -> None:
    fd = os.open(good, os.O_RDONLY)
    os.close(fd)
    assert refusal(backend, Descriptor(fd), good) == f"cannot read descriptor {fd}: {os.strerror(errno.EBADF)}"


@every_backend
def test_a_descriptor_open_for_writing_only_is_unreadable(backend: Backend, good: Path, tmp_path: Path) -> None:
    with (tmp_path / "written").open("wb") as file:
        file.write(b"content")
        file.flush()
        assert refusal(backend, Descriptor(file.fileno()), good).endswith(os.strerror(errno.EBADF))


@every_backend
def test_a_descriptor_is_read_from_its_first_byte_and_neither_moved_nor_closed(backend: Backend, good: Path) -> None:
    with good.open("rb") as file:
        file.seek(5)
        answers = backend.hash_batch([Descriptor(file.fileno())] * 3)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 5
    assert found(answers) == expected([GOOD]) * 3


@every_backend
def test_no_descriptor_is_left_open(backend: Backend, good: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(3 << 20))
    before = len(list(Path("/proc/self/fd").iterdir()))
    backend.hash_batch([good, large, tmp_path, tmp_path / "missing", Path("/proc/self/mem")] * 50)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@every_backend
def test_a_file_without_permission_is_named_with_its_cause(backend: Backend, tmp_path: Path) -> None:
    """In a process without privileges, since root may read everything."""
    good, closed = tmp_path / "good", tmp_path / "closed"
    good.write_bytes(GOOD)
    closed.write_bytes(b"secret")
    closed.chmod(0)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from cpu_backends import BACKENDS\n"
        "backend = next(each for each in BACKENDS if each.name == sys.argv[1])\n"
        "root = os.open('/', os.O_RDONLY); os.chdir(sys.argv[2])\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "good, closed = backend.hash_batch([Path('good'), Path('closed')])\n"
        "print(good.size_bytes, closed.text)\n"
    )
    tmp_path.chmod(0o755)
    command = [sys.executable, "-c", script, backend.name, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout == f"{len(GOOD)} cannot read closed: {os.strerror(errno.EACCES)}\n"


def while_open(path: Path, step: Callable[[], object], over: threading.Event) -> None:
    """Takes a step as soon as this process has the file open, unless all is over by then."""
    while not over.is_set():
        for fd in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if fd.readlink() == path:
                    step()
                    return


def moved(backend: Backend, path: Path, step: Callable[[], object], good: Path) -> Hashed | UnreadableError:
    """The answer for a large file with which something happens while it is read."""
    with path.open("wb") as file:
        file.truncate(LARGE_BYTES)
    os.utime(path, (0, 0))
    over = threading.Event()
    mover = threading.Thread(target=while_open, args=(path, step, over))
    mover.start()
    try:
        answer, beside = backend.hash_batch([path, good])
    finally:
        over.set()
        mover.join()
    assert found([beside]) == expected([GOOD])
    return answer


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"another beginning")


@pytest.mark.parametrize(
    "step", [rewrite, lambda path: os.truncate(path, 5), lambda path: os.truncate(path, LARGE_BYTES + 5)]
)
@every_backend
def test_a_file_that_is_rewritten_shrinks_or_grows_while_it_is_read_has_no_digest(
    backend: Backend, tmp_path: Path, good: Path, step: Callable[[Path], None]
) -> None:
    path = tmp_path / "moving"
    for _ in range(20):  # the step may come too late on a busy machine; then the file is as good as any other
        answer = moved(backend, path, lambda: step(path), good)
        if isinstance(answer, UnreadableError):
            break
    assert isinstance(answer, UnreadableError)
    assert answer.text == f"{path} changed while it was read"


@every_backend
def test_a_file_that_vanishes_or_is_let_be_while_it_is_read_has_its_digest(
    backend: Backend, tmp_path: Path, good: Path
) -> None:
    content = [(hashlib.sha256(bytes(LARGE_BYTES)).digest(), LARGE_BYTES)]
    path = tmp_path / "moving"
    assert found([moved(backend, path, path.unlink, good)]) == content
    assert found([moved(backend, path, path.exists, good)]) == content


def test_threads_are_started_only_for_what_costs_more_than_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    class Counted(ThreadPoolExecutor):
        def __init__(self, threads: int) -> None:
            started.append(threads)
            super().__init__(threads)

    monkeypatch.setattr("ledger_node.hashing.cpu.ThreadPoolExecutor", Counted)
    monkeypatch.setattr("ledger_node.hashing.cpu._cores", lambda: 2)
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(GOOD)
    large.write_bytes(bytes(1 << 20))
    backend = HashlibBackend()
    few: list[list[Source]] = [[bytes(3000)] * 8, [bytes(2000)] * 5000, [small, tmp_path / "missing", small]]
    for batch in few:
        backend.hash_batch(batch)
    assert started == []
    enough: list[list[Source]] = [[bytes(1 << 20), b""], [large, small], [small] * 100]
    for batch in enough:
        backend.hash_batch(batch)
    assert started == [2, 2, 2]
