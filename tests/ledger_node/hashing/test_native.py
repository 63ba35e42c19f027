"""Every backend of the processor gives the standard library's digests, whatever the length, place and number."""

from __future__ import annotations

import hashlib
import random
import threading
from pathlib import Path

import pytest
from cpu_backends import BACKENDS, BORDERS, NATIVE_BACKENDS, Backend, compiler, documents, expected, found

from ledger_node.errors import ConfigError
from ledger_node.hashing import Descriptor, UnreadableError
from ledger_node.hashing.cpu import NativeBackend, best_cpu, native_available, native_engines
from ledger_node.hashing.sources import Hashed, Source

every_backend = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
every_engine = pytest.mark.parametrize("backend", NATIVE_BACKENDS, ids=lambda backend: backend.name)


def test_where_there_is_a_compiler_the_native_extension_is_loaded() -> None:
    if not compiler():
        pytest.skip("NATIVE HASHING NOT TESTED: there is no C++ compiler")
    assert native_available() == ""
    assert "scalar" in native_engines()


@every_backend
def test_every_length_to_300_and_around_every_border_has_the_standard_digest(backend: Backend) -> None:
    contents = documents([*range(301), *BORDERS])
    assert found(backend.hash_batch(contents)) == expected(contents)


@every_backend
def test_a_batch_of_any_number_of_documents_is_hashed_from_its_first_to_its_last(backend: Backend) -> None:
    contents = documents([300 + 7 * i for i in range(70)])
    for count in range(len(contents) + 1):
        assert found(backend.hash_batch(contents[:count])) == expected(contents[:count])


@every_backend
def test_very_unequal_documents_keep_their_places(backend: Backend) -> None:
    sizes = [int(2 ** random.Random(seed).uniform(0, 21)) for seed in range(120)]
    contents = documents([5 << 20, *sizes, 3 << 20])
    assert found(backend.hash_batch(contents)) == expected(contents)


@every_backend
def test_long_vectors_chained_as_cavp_chains_them_end_in_the_standard_digest(backend: Backend) -> None:
    """NIST CAVP's Monte Carlo form: each message is the three digests before it; many chains run side by side."""
    seeds = documents([32] * 40, seed=2)
    chains = [[seed] * 3 for seed in seeds]
    standard = [[seed] * 3 for seed in seeds]
    for _ in range(100):
        answers = found(backend.hash_batch([b"".join(chain) for chain in chains]))
        chains = [[*chain[1:], digest] for chain, (digest, _) in zip(chains, answers, strict=True)]
        standard = [[*chain[1:], hashlib.sha256(b"".join(chain)).digest()] for chain in standard]
    assert chains == standard


@every_backend
def test_buffers_that_begin_at_any_address_have_the_standard_digest(backend: Backend) -> None:
    whole = memoryview(documents([20_000])[0])
    pieces: list[Source] = [whole[first : first + 10_000 + first] for first in range(130)]
    assert found(backend.hash_batch(pieces)) == expected([bytes(whole[i : 2 * i + 10_000]) for i in range(130)])


@every_backend
def test_every_kind_of_contiguous_buffer_is_a_document(backend: Backend) -> None:
    content = documents([4096])[0]
    table = memoryview(content).cast("I", shape=[32, 32])
    kinds: list[Source] = [content, bytearray(content), memoryview(content), memoryview(bytearray(content)), table]
    assert found(backend.hash_batch(kinds)) == expected([content]) * 5


@every_backend
def test_empty_documents_of_every_kind_have_the_digest_of_nothing(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    kinds: list[Source] = [b"", bytearray(), memoryview(b""), tmp_path / "empty"]
    assert found(backend.hash_batch(kinds)) == expected([b""]) * 4


@every_backend
def test_a_view_whose_bytes_do_not_lie_side_by_side_is_refused_and_its_neighbours_hashed(backend: Backend) -> None:
    content = documents([1000])[0]
    first, refused, last = backend.hash_batch([content, memoryview(content)[::2], content])
    assert isinstance(refused, UnreadableError)
    assert refused.text.startswith("cannot read a buffer: ")
    assert found([first, last]) == expected([content]) * 2


@every_backend
def test_a_released_view_is_an_error_of_its_own(backend: Backend) -> None:
    view = memoryview(b"content")
    view.release()
    hashed, refused = backend.hash_batch([b"content", view])
    assert found([hashed]) == expected([b"content"])
    assert isinstance(refused, UnreadableError)


@every_backend
def test_a_hundred_thousand_documents_are_one_batch(backend: Backend) -> None:
    contents = documents([i % 200 for i in range(100_000)])
    assert found(backend.hash_batch(contents)) == expected(contents)


@every_backend
def test_eight_threads_at_once_get_each_their_own_digests(backend: Backend) -> None:
    batches = [documents([2000 + 13 * i for i in range(300)], seed) for seed in range(8)]
    answers: dict[int, list[tuple[bytes, int]]] = {}

    def work(index: int) -> None:
        answers[index] = found(backend.hash_batch(batches[index]))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[index] for index in range(8)] == [expected(batch) for batch in batches]


@every_engine
def test_an_answer_names_the_engine_that_began_it(backend: NativeBackend) -> None:
    answers = backend.hash_batch(documents([1000] * 200))
    assert {answer.backend for answer in answers if isinstance(answer, Hashed)} == {backend.name}


@every_engine
def test_one_document_alone_goes_to_the_standard_library(backend: NativeBackend) -> None:
    (answer,) = backend.hash_batch([b"alone"])
    assert isinstance(answer, Hashed)
    assert answer.backend == "hashlib"


def test_an_engine_that_the_processor_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError):
        NativeBackend("abacus")


def test_the_fastest_backend_is_one_of_those_there_are() -> None:
    assert best_cpu().name in {backend.name for backend in BACKENDS}


@every_backend
def test_mixed_sources_come_back_in_their_order(backend: Backend, tmp_path: Path) -> None:
    contents = documents([10, 5000, 70_000] * 20, seed=3)
    sources: list[Source] = []
    with (tmp_path / "open").open("w+b") as stream:
        for index, content in enumerate(contents):
            path = tmp_path / str(index)
            path.write_bytes(content)
            sources.append((path, content, bytearray(content))[index % 3])
        stream.write(b"through a descriptor")
        stream.flush()
        answers = backend.hash_batch([*sources, Descriptor(stream.fileno())])
    assert found(answers) == expected([*contents, b"through a descriptor"])


def test_published_vectors_of_nist_hold_where_their_folder_is() -> None:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "cavp"
    if not folder.is_dir():
        pytest.skip("NIST'S OWN VECTORS NOT TESTED: the folder ../shared/cavp (SHA256ShortMsg.rsp, ...) is absent")
    contents, digests = [], []
    for path in sorted(folder.glob("SHA256*Msg.rsp")):
        fields = iter(line.split(" = ")[1] for line in path.read_text().splitlines() if " = " in line)
        for bits, message, digest in zip(fields, fields, fields, strict=True):
            contents.append(bytes.fromhex(message)[: int(bits) // 8])
            digests.append(bytes.fromhex(digest))
    assert contents
    for backend in BACKENDS:
        assert [digest for digest, _ in found(backend.hash_batch(contents))] == digests


@pytest.mark.long
@every_backend
def test_a_document_of_more_than_four_gigabytes_is_hashed_piece_by_piece(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate((4 << 30) + 1)
    standard = hashlib.sha256()
    for _ in range(4 << 10):
        standard.update(bytes(1 << 20))
    standard.update(b"\0")
    answers = backend.hash_batch([path, path])
    assert found(answers) == [(standard.digest(), (4 << 30) + 1)] * 2
