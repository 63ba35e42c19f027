"""The GPU's pipeline: planned without a device, run on the kernel compiled for the CPU, and on a GPU where one is."""

from __future__ import annotations

import ctypes
import itertools
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from gpu_emulated import EmulatedDevice, State, compile_emulated, compiler
from hash_backends import digests, digests_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.cli import main
from ledger_node.errors import VerificationError
from ledger_node.hashing import Hashed, Source
from ledger_node.hashing.bench_gpu import (
    DOCUMENT_BLOCKS,
    DOCUMENT_BYTES,
    LAUNCHES,
    device_rows,
    measure_device,
)
from ledger_node.hashing.cpu import HashlibBackend, native_available
from ledger_node.hashing.cuda_device import open_gpu
from ledger_node.hashing.gpu import GpuBackend, Launch, blocks_of, plan
from ledger_node.hashing.guard import Guarded
from ledger_node.hashing.hasher import Hasher, open_hasher
from ledger_node.hashing.kernel import GpuUnavailable
from ledger_node.hashing.scheduler import SlabLimits
from ledger_node.hashing.telemetry import Reading

needs_native = pytest.mark.skipif(
    bool(not compiler() or native_available()), reason="no C++ compiler, so no packer: the GPU cannot be used either"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_emulated(tmp_path_factory.mktemp("kernel"))


def backend_over(device: EmulatedDevice) -> GpuBackend:
    from ledger_node.hashing import _native

    return GpuBackend(device, _native.pack_slab, _native.unpack_digests)


def emulated(library: ctypes.CDLL, slab_bytes: int) -> tuple[GpuBackend, EmulatedDevice]:
    device = EmulatedDevice(library, slab_bytes)
    return backend_over(device), device


def check_plan(sizes: Sequence[int], slab_blocks: int, wide: int) -> list[Launch]:
    """Every block of every document is in exactly one launch, in order, and every launch fits into a slab."""
    blocks = sorted(blocks_of(size) for size in sizes)
    launches = list(plan(blocks, slab_blocks, wide))
    done = [0] * len(blocks)
    for launch in launches:
        used = 0
        for place in range(launch.first, launch.first + launch.count):
            taken = max(0, min(blocks[place] - launch.block, launch.blocks_max))
            assert not taken or done[place] == launch.block
            done[place] += taken
            used += taken
        assert 0 < used <= slab_blocks
        assert launch.last == all(
            done[place] == blocks[place] for place in range(launch.first, launch.first + launch.count)
        )
    assert done == blocks
    return launches


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 20_000), max_size=80), st.integers(1, 300), st.integers(1, 40))
def test_plans_of_generated_batches_are_whole(sizes: list[int], slab_blocks: int, wide: int) -> None:
    check_plan(sizes, slab_blocks, wide)


def test_short_documents_share_a_launch_and_long_ones_advance_together() -> None:
    assert len(check_plan([100] * 1000, slab_blocks=2000, wide=64)) == 1
    launches = check_plan([64 * 99] * 32, slab_blocks=320, wide=32)
    assert {(launch.count, launch.blocks_max) for launch in launches} == {(32, 10)}


@needs_native
@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), max_size=60), slab_blocks=st.integers(1, 60))
def test_generated_batches_get_the_right_digests(library: ctypes.CDLL, sizes: list[int], slab_blocks: int) -> None:
    documents = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    backend, device = emulated(library, 64 * slab_blocks)
    answers = backend.hash_batch(documents)
    assert digests(answers) == digests_of(documents)
    assert {answer.backend for answer in answers if isinstance(answer, Hashed)} <= {"gpu:emulated"}
    device.close()


@needs_native
def test_every_length_around_padding_and_block_borders(library: ctypes.CDLL) -> None:
    documents = [random.Random(size).randbytes(size) for size in range(301)]
    backend, device = emulated(library, 64 * 50)
    assert digests(backend.hash_batch(documents)) == digests_of(documents)
    assert len(device.launches) > 10


@needs_native
def test_a_long_document_spans_many_slabs(library: ctypes.CDLL, tmp_path: Path) -> None:
    documents = [random.Random(size).randbytes(size) for size in (1_000_003, 10, 64_000, 500_000)]
    paths = [tmp_path / str(number) for number in range(4)]
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    backend, device = emulated(library, 4096)
    assert digests(backend.hash_batch(paths)) == digests_of(documents)
    assert max(launch.block for launch in device.launches) > 10_000


@needs_native
def test_what_the_packer_cannot_take_is_answered_as_hashlib_would(library: ctypes.CDLL, tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"content")
    with path.open("rb") as stream:
        sources: list[Source] = [tmp_path / "missing", path, stream, tmp_path, b"content", memoryview(b"cxoxnx")[::2]]
        answers = emulated(library, 4096)[0].hash_batch(sources)
    expected = digests_of([b"content"])[0]
    assert digests(answers) == [None, expected, expected, None, expected, None]


@needs_native
def test_a_document_that_changes_between_two_slabs_is_hashed_again(library: ctypes.CDLL, tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"a" * 10_000)

    class Disturbed(EmulatedDevice):
        def launch(
            self, lane: int, state: State, launch: Launch, start: bytes, blocks: bytes, resident: bool = False
        ) -> None:
            if len(self.launches) == 3:
                path.write_bytes(b"b" * 10_001)
            super().launch(lane, state, launch, start, blocks)

    backend = backend_over(Disturbed(library, 1024))
    (answer,) = backend.hash_batch([path])
    assert answer == Hashed(digests_of([b"b" * 10_001])[0], 10_001, "hashlib")


@needs_native
def test_the_whole_pipeline_under_guard_and_scheduler(library: ctypes.CDLL) -> None:
    generator = random.Random(9)
    documents = [generator.randbytes(generator.randrange(4000)) for _ in range(3000)]
    backend, _ = emulated(library, 1 << 18)
    limits = SlabLimits(wide_documents_min=64, wide_bytes_max=1 << 18, cpu_bytes_max=1 << 16, bytes_min=1 << 12)
    hasher = Hasher(HashlibBackend(), Guarded(backend, backend.close), limits=limits)
    ran = set()
    for _ in range(3):
        answers = hasher.hash_batch(documents)
        assert digests(answers) == digests_of(documents)
        ran |= {answer.backend for answer in answers if isinstance(answer, Hashed)}
    assert hasher.status()["gpu"]["lost"] == ""
    assert ran == {"gpu:emulated", "hashlib"}
    hasher.close()


@needs_native
def test_a_device_is_measured_beside_its_own_copying_and_checked_in_every_round(library: ctypes.CDLL) -> None:
    from ledger_node.hashing import _native

    device = EmulatedDevice(library, 1 << 16)
    rows = measure_device(device, "plain", _native.pack_slab, _native.unpack_digests, rounds=2, seconds_min=0)
    assert [(row.device, row.variant, row.what) for row in rows] == [
        ("emulated", "plain", what) for what in ("host to device", "resident", "pinned")
    ]
    assert rows[0].percent_of_copy == 100.0
    assert all(row.gb_per_second >= 0 and row.joules_per_gb is None for row in rows)
    device.close()


@needs_native
def test_a_device_that_computes_wrong_digests_has_no_figures(library: ctypes.CDLL) -> None:
    from ledger_node.hashing import _native

    class Lying(EmulatedDevice):
        def end(self, state: State) -> bytes:
            return bytes([super().end(state)[0] ^ 1]) + super().end(state)[1:]

    with pytest.raises(VerificationError, match="emulated computes wrong digests"):
        measure_device(
            Lying(library, 1 << 16), "plain", _native.pack_slab, _native.unpack_digests, rounds=1, seconds_min=0
        )


@needs_native
def test_the_energy_of_a_device_is_counted_with_and_without_what_it_draws_when_idle(library: ctypes.CDLL) -> None:
    from ledger_node.hashing import _native

    seconds = itertools.count(step=2.0)

    def read() -> Reading:  # a made-up device: 100 W, 60 of them for nothing
        now = next(seconds)
        watts = 60.0 if now == 0 else 100.0
        return Reading("uuid", "emulated", now, 1 << 40, 0, 0, 40, 1000, watts, 100.0 * now)

    device = EmulatedDevice(library, 1 << 16)
    rows = measure_device(device, "plain", _native.pack_slab, _native.unpack_digests, 1, read, seconds_min=0)
    gigabytes = LAUNCHES * (device.slab_bytes // (DOCUMENT_BLOCKS * 64)) * DOCUMENT_BYTES / 1e9
    for row in rows:
        assert row.joules_per_gb == pytest.approx(200 / gigabytes, rel=1e-3)
        assert row.joules_per_gb_above_idle == pytest.approx(80 / gigabytes, rel=1e-3)


def test_without_a_gpu_the_benchmark_says_so() -> None:
    try:
        open_gpu().close()
    except GpuUnavailable as error:
        with pytest.raises(GpuUnavailable, match=re.escape(error.text)):
            device_rows(1)
        ran = CliRunner().invoke(main, ["hash", "bench", "--rounds", "1", "--megabytes", "1"])
        assert ran.exit_code == 0
        assert f"no device, so nothing resident or pinned: {error.text}" in ran.stdout
    else:
        pytest.skip("this machine has a GPU")


def test_without_a_gpu_the_reason_is_said_and_auto_means_the_cpu() -> None:
    try:
        open_gpu().close()
    except GpuUnavailable as error:
        assert error.text
        hasher = open_hasher("auto")
        assert hasher.status()["gpu"] == {"absent": error.text}
        assert digests(hasher.hash_batch([b"abc"])) == digests_of([b"abc"])
        with pytest.raises(GpuUnavailable):
            open_hasher("gpu")
    else:
        pytest.skip("this machine has a GPU")


def test_a_real_gpu_gives_the_right_digests(tmp_path: Path) -> None:
    try:
        guarded = open_gpu()
    except GpuUnavailable as error:
        pytest.skip(f"NO GPU WAS TESTED: {error.text}")
    generator = random.Random(10)
    documents = [generator.randbytes(generator.randrange(20_000)) for _ in range(20_000)]
    documents += [generator.randbytes(30 << 20) for _ in range(3)]
    answers = guarded.hash_batch(documents)
    guarded.close()
    assert digests(answers) == digests_of(documents)
    assert {answer.backend for answer in answers if isinstance(answer, Hashed)} == {guarded.name}
