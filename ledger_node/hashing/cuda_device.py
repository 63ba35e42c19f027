"""The thin layer of CUDA calls under `gpu`: memory, copies, launches. It plans nothing and trusts nobody.

Every method may be called from another thread than the one before, but never from two at a time.
Source: the documentation of cuda.core 1.x.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

from ledger_node.hashing import telemetry
from ledger_node.hashing.cpu import native_available
from ledger_node.hashing.gpu import BLOCK_BYTES, LANES, LAUNCH_DOCUMENTS_MAX, GpuBackend, Launch
from ledger_node.hashing.guard import BackendLost, Guarded
from ledger_node.hashing.kernel import KERNEL_NAME, GpuUnavailable, compile_kernel

SLAB_BYTES = 256 << 20
SMALL_LAUNCH_DOCUMENTS = 33_792  # fewer do not fill every sub-core of a large GPU with blocks of 128 threads
CACHE = Path.home() / ".cache" / "ledger-node" / "kernels"


class CudaDevice:
    """A CUDA device: two streams, and for each a pinned slab and its place on the device.

    Args:
        uuid: of the device as NVML names it, since CUDA may number devices in another order.
        slab_bytes: of each of the two slabs.
        fma: the variant of the kernel, as of `compile_kernel`.

    Raises: GpuUnavailable.
    """

    def __init__(self, uuid: str, slab_bytes: int = SLAB_BYTES, *, fma: bool = True) -> None:
        from cuda import core  # an extra: a machine without a GPU does not need it

        self._core = core
        devices = [device for device in core.Device.get_all_devices() if uuid.endswith(str(device.uuid))]
        if not devices:
            raise GpuUnavailable(f"CUDA does not show the device {uuid}", "Look at CUDA_VISIBLE_DEVICES.")
        self._device = devices[0]
        self._ordinal = self._device.device_id
        self._enter()
        self.name = str(self._device.name)
        kernel = compile_kernel(f"sm_{self._device.arch}", fma=fma, cache_dir=CACHE)
        self._kernel = core.ObjectCode.from_cubin(kernel.cubin).get_kernel(KERNEL_NAME)
        pinned = core.LegacyPinnedMemoryResource()
        room = slab_bytes + 2 * 4 * LAUNCH_DOCUMENTS_MAX
        self.slab_bytes = slab_bytes
        self._streams = [self._device.create_stream() for _ in range(LANES)]
        self._hosts = [pinned.allocate(room) for _ in range(LANES)]
        self._buffers = [self._device.allocate(room, stream=stream) for stream in self._streams]
        self._used: list[Any] = [None] * LANES

    def slab(self, lane: int) -> memoryview:
        """See `Device`."""
        self._enter()
        if self._used[lane] is not None:
            self._used[lane].sync()
        return _view(self._hosts[lane], 0, self.slab_bytes)

    def begin(self, count: int) -> dict[str, Any]:
        """See `Device`."""
        self._enter()
        stream = self._streams[0]
        return {"count": count, "words": self._device.allocate(32 * count, stream=stream), "ready": stream.record()}

    def copy(self, lane: int) -> None:
        """See `Device`."""
        self._enter()
        self._copy(lane, 0, self.slab_bytes)
        self._used[lane] = self._streams[lane].record()

    def launch(
        self, lane: int, state: dict[str, Any], launch: Launch, start: bytes, blocks: bytes, resident: bool = False
    ) -> None:
        """See `Device`."""
        stream, host, buffer, count = self._streams[lane], self._hosts[lane], self._buffers[lane], state["count"]
        tables = (self.slab_bytes, self.slab_bytes + len(start))
        if not resident:
            for offset, table in zip(tables, (start, blocks), strict=True):
                _view(host, offset, len(table))[:] = table
            self._copy(lane, 0, BLOCK_BYTES * max(_end_of_slab(start, blocks), 1))
            self._copy(lane, tables[0], len(start) + len(blocks))
        stream.wait(state["ready"])
        threads = 32 if count < SMALL_LAUNCH_DOCUMENTS else 128
        at = int(buffer.handle)
        self._core.launch(
            stream,
            self._core.LaunchConfig(grid=-(-count // threads), block=threads),
            self._kernel,
            ctypes.c_uint64(at),
            ctypes.c_uint64(at + tables[0]),
            ctypes.c_uint64(at + tables[1]),
            ctypes.c_uint32(count),
            state["words"],
            ctypes.c_uint32(launch.block == 0),
        )
        state["ready"] = self._used[lane] = stream.record()
        state["stream"] = stream

    def end(self, state: dict[str, Any]) -> bytes:
        """See `Device`."""
        self._enter()
        size = 32 * state["count"]
        host = self._core.LegacyPinnedMemoryResource().allocate(size)
        state["words"].copy_to(host, stream=state["stream"])
        state["stream"].sync()
        content = bytes(_view(host, 0, size))
        host.close()
        state["words"].close(state["stream"])
        return content

    def close(self) -> None:
        """See `Device`."""
        self._enter()
        for stream in self._streams:
            stream.sync()
        for buffer in (*self._buffers, *self._hosts):
            buffer.close()
        for stream in self._streams:
            stream.close()

    def _enter(self) -> None:
        """CUDA's context belongs to a thread."""
        self._core.Device(self._ordinal).set_current()

    def _copy(self, lane: int, offset: int, length: int) -> None:
        host, buffer = self._hosts[lane], self._buffers[lane]
        self._part(buffer, offset, length).copy_from(self._part(host, offset, length), stream=self._streams[lane])

    def _part(self, buffer: Any, offset: int, length: int) -> Any:
        return self._core.Buffer.from_handle(int(buffer.handle) + offset, length, owner=buffer)


def _end_of_slab(start: bytes, blocks: bytes) -> int:
    """The blocks of the slab that are in use: where the last document ends."""
    # The packer lays documents down one after the other: the last one that has blocks in this launch ends last.
    ends = zip(reversed(memoryview(start).cast("I")), reversed(memoryview(blocks).cast("I")), strict=True)
    return next((first + count for first, count in ends if count), 0)


def _view(host: Any, offset: int, length: int) -> memoryview:
    """A part of pinned memory as writable bytes."""
    return memoryview((ctypes.c_ubyte * length).from_address(int(host.handle) + offset)).cast("B")


def open_gpu() -> Guarded:
    """The GPU of this machine that is free, warmed up and tested with known answers.

    Raises: GpuUnavailable saying why there is none.
    """
    if reason := native_available():
        raise GpuUnavailable(f"packing for a GPU needs the native extension: {reason}")
    chosen = telemetry.choose(telemetry.readings())
    from ledger_node.hashing import _native

    try:
        backend = GpuBackend(CudaDevice(chosen.uuid), _native.pack_slab, _native.unpack_digests)
    except ImportError as error:
        raise GpuUnavailable(f"cuda.core is not installed: {error}", "pip install 'ledger-node[gpu]'") from error
    try:
        return Guarded(backend, backend.close)
    except BackendLost as error:
        with suppress(Exception):
            backend.close()
        raise GpuUnavailable(error.text, error.remedy) from error
