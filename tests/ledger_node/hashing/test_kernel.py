"""The CUDA kernel, without a GPU: compiled to machine code, and the same source run by a processor."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cpu_backends import compiler, documents, expected
from gpu_emulated import NATIVE, SHIM

from ledger_node.hashing.cpu import native_available
from ledger_node.hashing.kernel import GpuUnavailable, compile_kernel, kernel_source
from ledger_node.hashing.sources import Source

if not native_available():
    from ledger_node.hashing import _native

needs_packer = pytest.mark.skipif(bool(native_available()), reason="NO PACKER TESTED: the native extension is absent")
ALL_BLOCKS = 2**32 - 1
# Reads n, threads, fresh and the slab's blocks as four words, then start, blocks, state and data; writes the state.
MAIN = """
#include <stdio.h>
#include <vector>
int main() {
  u32 head[4];
  if (fread(head, 4, 4, stdin) != 4) return 1;
  u32 n = head[0];
  std::vector<u32> start(n), blocks(n), state(8 * (size_t)n);
  std::vector<uint4> data(4 * (size_t)head[3]);
  if (fread(start.data(), 4, n, stdin) != n || fread(blocks.data(), 4, n, stdin) != n) return 1;
  if (fread(state.data(), 4, state.size(), stdin) != state.size()) return 1;
  if (fread(data.data(), 16, data.size(), stdin) != data.size()) return 1;
  run(data.data(), start.data(), blocks.data(), n, state.data(), head[2], head[1]);
  return fwrite(state.data(), 4, state.size(), stdout) != state.size();
}
"""


@pytest.mark.parametrize("fma", [False, True])
def test_the_kernel_for_hopper_needs_few_registers_and_spills_none(tmp_path: Path, fma: bool) -> None:
    kernel = compile_kernel("sm_90", fma=fma, cache_dir=tmp_path)
    assert kernel.cubin.startswith(b"\x7fELF")
    assert kernel.registers <= 64
    assert kernel.spill_bytes == 0


def test_a_compiled_kernel_is_kept_and_a_damaged_one_compiled_again(tmp_path: Path) -> None:
    kernel = compile_kernel("sm_90", fma=False, cache_dir=tmp_path / "new")
    (path,) = (tmp_path / "new").iterdir()
    kept = path.read_bytes()
    stamp = path.stat().st_mtime_ns
    assert compile_kernel("sm_90", fma=False, cache_dir=tmp_path / "new") == kernel
    assert path.stat().st_mtime_ns == stamp
    for damage in (b"", kept[:1000], kept[:-1] + b"?", b"not json\n"):
        path.write_bytes(damage)
        assert compile_kernel("sm_90", fma=False, cache_dir=tmp_path / "new") == kernel
        assert path.read_bytes() == kept


def test_each_variant_and_architecture_is_kept_by_itself(tmp_path: Path) -> None:
    made = [compile_kernel(arch, fma=fma, cache_dir=tmp_path) for arch in ("sm_80", "sm_90") for fma in (False, True)]
    assert len({kernel.cubin for kernel in made}) == len(list(tmp_path.iterdir())) == 4


def test_an_architecture_that_the_compiler_does_not_know_is_no_gpu(tmp_path: Path) -> None:
    with pytest.raises(GpuUnavailable, match="does not compile for sm_12"):
        compile_kernel("sm_12", fma=False, cache_dir=tmp_path)


def test_the_kernel_is_one_text_without_files_to_include() -> None:
    assert "#include" not in kernel_source()


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unmodified kernel as a program of the processor that ends at the first undefined behaviour."""
    if not compiler():
        pytest.skip("THE KERNEL WAS NOT RUN: there is no C++ compiler")
    folder = tmp_path_factory.mktemp("emulated")
    (folder / "kernel.cpp").write_text(SHIM + MAIN)
    flags = ["-O1", "-std=c++17", "-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-Wno-unknown-pragmas"]
    subprocess.run(
        [compiler(), *flags, f"-I{NATIVE}", str(folder / "kernel.cpp"), "-o", str(folder / "kernel")], check=True
    )
    return folder / "kernel"


def launch(program: Path, slab: bytes, start: bytes, blocks: bytes, state: bytes = b"", threads: int = 128) -> bytes:
    """The state after one launch: from the beginning of the documents, or from a state."""
    count = len(start) // 4
    head = struct.pack("<4I", count, threads, not state, len(slab) // 64)
    text = head + start + blocks + (state or bytes(32 * count)) + slab
    return subprocess.run([str(program)], input=text, capture_output=True, check=True).stdout


def pack_reference(contents: Sequence[bytes], first_block: int, blocks_max: int) -> tuple[bytes, bytes, bytes]:
    """Slab, start and blocks as FIPS 180-4 section 5.1.1 and the kernel's header say, in plain Python."""
    slab, start, blocks = bytearray(), [], []
    for content in contents:
        padded = content + b"\x80" + bytes((55 - len(content)) % 64) + struct.pack(">Q", 8 * len(content))
        piece = padded[64 * first_block : 64 * (first_block + blocks_max)]
        start.append(len(slab) // 64)
        blocks.append(len(piece) // 64)
        slab += piece
    return bytes(slab), struct.pack(f"<{len(start)}I", *start), struct.pack(f"<{len(blocks)}I", *blocks)


CONTENTS = documents([*range(260), 4000, 70_000, 64, 128, 0])


@pytest.mark.parametrize("threads", [32, 128])
def test_the_kernel_gives_the_standard_digests(emulated: Path, threads: int) -> None:
    slab, start, blocks = pack_reference(CONTENTS, 0, ALL_BLOCKS)
    words = struct.unpack(f"<{8 * len(CONTENTS)}I", launch(emulated, slab, start, blocks, threads=threads))
    digests = [struct.pack(">8I", *words[i :: len(CONTENTS)]) for i in range(len(CONTENTS))]
    assert digests == [digest for digest, _ in expected(CONTENTS)]


@needs_packer
def test_documents_cut_into_slices_end_in_the_standard_digests(emulated: Path) -> None:
    sizes: list[int] = []
    state, first = b"", 0
    while True:
        slab = bytearray(64 * 7 * len(CONTENTS))
        start, blocks, sizes, failures = _native.pack_slab(CONTENTS, slab, first, 7, 2)
        if not any(blocks):
            break
        state = launch(emulated, bytes(slab), start, blocks, state)
        first += 7
    assert (sizes, failures) == ([len(content) for content in CONTENTS], [])
    assert _native.unpack_digests(state, len(CONTENTS)) == [digest for digest, _ in expected(CONTENTS)]


@needs_packer
@pytest.mark.parametrize("first_block", [0, 1, 2, 3, 62, 63, 1094, 5000])
@pytest.mark.parametrize("blocks_max", [1, 2, 7, ALL_BLOCKS])
def test_the_packer_lays_out_what_the_reference_does(tmp_path: Path, first_block: int, blocks_max: int) -> None:
    sources: list[Source] = []
    for index, content in enumerate(CONTENTS):
        path = tmp_path / str(index)
        path.write_bytes(content)
        sources.append(path if index % 2 else content)
    slab = bytearray(b"\xaa" * (sum(map(len, CONTENTS)) + 128 * len(CONTENTS)))
    start, blocks, sizes, failures = _native.pack_slab(sources, slab, first_block, blocks_max, 2)
    packed, start_expected, blocks_expected = pack_reference(CONTENTS, first_block, blocks_max)
    assert (start, blocks, failures) == (start_expected, blocks_expected, [])
    assert sizes == [len(content) for content in CONTENTS]
    assert bytes(slab[: len(packed)]) == packed
    assert set(slab[len(packed) :]) <= {0xAA}


@needs_packer
def test_a_full_slab_says_how_many_documents_are_in_it() -> None:
    contents = documents([100] * 10)
    for room, fit in ((0, 0), (127, 0), (128, 1), (1279, 9), (1280, 10)):
        start, blocks, sizes, failures = _native.pack_slab(contents, bytearray(room), 0, ALL_BLOCKS, 2)
        assert (len(start), len(blocks), sizes, failures) == (4 * fit, 4 * fit, [100] * fit, [])


@needs_packer
def test_what_cannot_be_packed_has_no_blocks_and_its_own_error(tmp_path: Path) -> None:
    view = memoryview(b"content")[::2]
    sources: list[Source] = [b"good", tmp_path, tmp_path / "missing", Path("/proc/self/status"), view, b"good"]
    slab = bytearray(1024)
    start, blocks, _, failures = _native.pack_slab(sources, slab, 0, ALL_BLOCKS, 2)
    assert failures == [(1, _native.NOT_REGULAR), (2, 2), (3, _native.CHANGED), (4, _native.LEFT)]
    assert struct.unpack("<6I", blocks) == (1, 0, 0, 0, 0, 1)
    good = pack_reference([b"good"], 0, 1)[0]
    first, *_, last = struct.unpack("<6I", start)
    assert bytes(slab[64 * first : 64 * first + 64]) == bytes(slab[64 * last : 64 * last + 64]) == good


@needs_packer
def test_a_state_of_another_number_of_documents_is_refused() -> None:
    with pytest.raises(ValueError, match="2 documents have a state of 64 bytes, not 32"):
        _native.unpack_digests(bytes(32), 2)
