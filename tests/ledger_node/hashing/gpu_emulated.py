"""A device for tests: the CUDA kernel itself, compiled for the CPU behind a few lines that stand for CUDA's words.

Launches run as late as CUDA may run them: when the slab of their lane is asked for again, or their state.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections import deque
from pathlib import Path

from ledger_node import hashing
from ledger_node.hashing.gpu import LANES, Launch

NATIVE = Path(hashing.__file__).parent / "native"
SHIM = """
struct uint4 { unsigned int x, y, z, w; };
struct Place { unsigned int x; };
static thread_local Place blockIdx, blockDim, threadIdx;
#define __global__
#define __restrict__
#define __launch_bounds__(n)
static inline unsigned int __byte_perm(unsigned int x, unsigned int, unsigned int) { return __builtin_bswap32(x); }
template <class T> static inline T __ldcs(const T* at) { return *at; }
#include "sha256_lanes.cu"
extern "C" void run(const void* data, const u32* start, const u32* blocks, u32 n, u32* state, u32 fresh, u32 threads) {
  blockDim.x = threads;
  for (blockIdx.x = 0; blockIdx.x < (n + threads - 1) / threads; ++blockIdx.x)
    for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x)
      sha256_lanes((const uint4*)data, start, blocks, n, state, fresh);
}
"""


def compiler() -> str:
    """The C++ compiler; empty when there is none."""
    return shutil.which("g++") or ""


def compile_emulated(folder: Path) -> ctypes.CDLL:
    """The kernel as a shared library of the CPU."""
    source, library = folder / "emulated.cpp", folder / "emulated.so"
    source.write_text(SHIM)
    command = [compiler(), "-O2", "-std=c++17", "-shared", "-fPIC", f"-I{NATIVE}", str(source), "-o", str(library)]
    subprocess.run([*command, "-Wno-unknown-pragmas"], check=True)
    return ctypes.CDLL(str(library))


class State:
    """The words of some documents, full of what was there before, as memory of a device is."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.words = ctypes.create_string_buffer(b"\xaa" * 32 * count, 32 * count)


class EmulatedDevice:
    """`gpu.Device` over the emulated kernel.

    Args:
        library: of `compile_emulated`.
        slab_bytes: of each lane.
    """

    def __init__(self, library: ctypes.CDLL, slab_bytes: int) -> None:
        self.name = "emulated"
        self.slab_bytes = slab_bytes
        self.launches: list[Launch] = []
        self._library = library
        self._slabs = [ctypes.create_string_buffer(slab_bytes) for _ in range(LANES)]
        self._waiting: deque[tuple[int, State, Launch, bytes, bytes]] = deque()

    def slab(self, lane: int) -> memoryview:
        """The lane's slab, once its launches are over."""
        while any(each[0] == lane for each in self._waiting):
            self._run_one()
        return memoryview(self._slabs[lane]).cast("B")

    def begin(self, count: int) -> State:
        """A state."""
        return State(count)

    def copy(self, lane: int) -> None:
        """There is nothing to copy to."""

    def launch(
        self, lane: int, state: State, launch: Launch, start: bytes, blocks: bytes, resident: bool = False
    ) -> None:
        """Note a launch; what it needs is always there."""
        assert len(start) == len(blocks) == 4 * state.count == 4 * launch.count
        self.launches.append(launch)
        self._waiting.append((lane, state, launch, start, blocks))

    def end(self, state: State) -> bytes:
        """The state, once its launches are over."""
        while any(each[1] is state for each in self._waiting):
            self._run_one()
        return state.words.raw

    def close(self) -> None:
        """Nothing is left running."""
        assert not self._waiting

    def _run_one(self) -> None:
        lane, state, launch, start, blocks = self._waiting.popleft()
        threads = 32 if state.count < 64 else 128
        fresh = int(launch.block == 0)
        self._library.run(self._slabs[lane], start, blocks, state.count, state.words, fresh, threads)
